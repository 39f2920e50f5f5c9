#include "logic/user/user_loader.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace hongyan::logic {

class UserLoader::Load final : public TailsWork {
 public:
  Load(UserLoader& loader, User& user) noexcept : loader_(loader), user_(user) {}
  void come_back(std::unique_ptr<TailsWork> /*self*/) override { loader_.finished(user_, *this); }

 private:
  UserLoader& loader_;
  User& user_;  // kept in memory by who waits
};

void UserLoader::load(User& user, std::function<void(const Status&)> then) {
  if (user.loaded) return then({});
  user.waiting_for_load.push_back(std::move(then));
  if (user.waiting_for_load.size() > 1) return;  // asked already
  auto work = std::make_unique<Load>(*this, user);
  work->user = user.key;
  work->slot = user.slot;
  work->slot_epoch = context_.slots.find(user.slot)->epoch;
  work->thread = context_.index;
  work->deadline = context_.now() + context_.config.accept_deadline;
  context_.shards.of(user.slot).submit(std::move(work));
}

void UserLoader::finished(User& user, const TailsWork& work) {
  Status status;
  if (work.outcome != StoreWork::Outcome::kStored) {
    status = std::unexpected(work.error);
  } else if (user.retired) {
    status = std::unexpected(storage_is_away());
  } else {
    user.inbox_seq = std::max(user.inbox_seq.value_or(0), work.inbox_seq);
    user.outbox_seq = std::max(user.outbox_seq.value_or(0), work.outbox_seq);
    for (const auto& membership : work.groups) user.groups.learn(membership);
    cursors_.loaded(user, work.cursors);
    if (!std::exchange(user.ban_known, true) && work.ban.until_ms != 0) {
      user.ban = std::make_unique<Ban>(work.ban);
    }
    user.loaded = true;
  }
  std::vector<std::function<void(const Status&)>> waiting;
  waiting.swap(user.waiting_for_load);
  for (auto& then : waiting) then(status);
}

}  // namespace hongyan::logic
