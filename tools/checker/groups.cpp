#include "tools/checker/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/cpp/group.h"

namespace hongyan::checker {

namespace {
constexpr std::size_t kJoinAtOnce = 4;
constexpr std::size_t kJoinLargeAtOnce = 20;
constexpr double kStrangers = 0.03;  // of the messages are sent by who may not be a member
constexpr double kJoins = 0.5;
constexpr double kExits = 0.5;  // of those who leave; the others are sent away
constexpr int kTries = 50;
}  // namespace

Groups::Groups(const GroupsOptions& options, Population& population, std::size_t users)
    : options_(options), population_(population), dice_(options.seed + 1) {
  for (std::size_t g = 0; g < options.groups + options.large_groups; ++g) {
    Group group{.growing = g >= options.groups};
    std::vector<std::size_t> all(users);
    for (std::size_t i = 0; i < users; ++i) all[i] = i;
    const std::size_t size = std::min(users, group.growing ? options.large_members : options.members);
    for (std::size_t i = 0; i < size; ++i) std::swap(all[i], all[i + dice_.below(users - i)]);
    group.pool.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
    const std::size_t begin = group.growing ? std::min(options.large_begin, size) : size - size / 5;
    for (std::size_t i = 0; i < size; ++i) group.in.push_back(i < begin);
    groups_.push_back(std::move(group));
  }
}

void Groups::make() {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    std::vector<std::string> members;
    for (std::size_t i = 1; i < group.pool.size(); ++i) {
      if (group.in[i]) members.push_back(population_.uid(group.pool[i]));
    }
    population_.change_group(group.pool[0],
                             client::create_group(fmt::format("group {}", g), std::move(members)),
                             fmt::format("make-{:x}-{}", options_.seed, g),
                             [this, &group](const Result<client::SendReceipt>& receipt) {
                               if (receipt) {
                                 group.id = receipt->group.group().group_id();
                                 ++made_;
                               } else {
                                 failed_ = true;
                               }
                             });
  }
}

void Groups::act(Micros elapsed) {
  const double seconds = static_cast<double>(elapsed) / 1e6;
  while (static_cast<double>(messages_) < seconds * options_.rate) send();
  while (static_cast<double>(changes_) < seconds * options_.change_rate) change();
}

void Groups::send() {
  const std::uint64_t number = messages_++;
  const Group& group = groups_[dice_.below(groups_.size())];
  const bool stranger = dice_.chance(kStrangers);
  const std::size_t at = stranger ? dice_.below(group.pool.size()) : place(group, true);
  population_.send_to_group({.sender = group.pool[at],
                             .device = dice_.below(1 << 20),
                             .group_id = group.id,
                             .client_msg_id = fmt::format("g-{:x}-{}", options_.seed, number),
                             .content = content_of(options_.seed + 1, number, false),
                             .again = dice_.chance(0.02)});
}

std::size_t Groups::place(const Group& group, bool in) {
  for (int i = 0; i < kTries; ++i) {
    const std::size_t at = 1 + dice_.below(group.pool.size() - 1);
    if (group.in[at] == in) return at;
  }
  return 0;
}

void Groups::change() {
  ++changes_;
  // Every third change is of a large group, where there is one.
  const bool large = options_.large_groups > 0 && dice_.chance(1.0 / 3);
  const std::size_t count = large ? options_.large_groups : groups_.size();
  Group& group = groups_[groups_.size() - 1 - dice_.below(count)];
  if (group.busy) return;
  dice_.chance(kJoins) || group.growing ? join(group) : leave(group);
}

void Groups::join(Group& group) {
  const std::size_t count = 1 + dice_.below(group.growing ? kJoinLargeAtOnce : kJoinAtOnce);
  std::vector<std::size_t> places;
  std::vector<std::string> uids;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = place(group, false);
    if (at == 0 || std::ranges::find(places, at) != places.end()) continue;
    places.push_back(at);
    uids.push_back(population_.uid(group.pool[at]));
  }
  if (places.empty()) {
    group.growing = false;
    return leave(group);
  }
  submit(group, 0, client::add_members(group.id, std::move(uids)), std::move(places), true);
}

void Groups::leave(Group& group) {
  const std::size_t at = place(group, true);
  if (at == 0) return;
  if (dice_.chance(kExits)) return submit(group, at, client::exit_group(group.id), {at}, false);
  submit(group, 0, client::remove_members(group.id, {population_.uid(group.pool[at])}), {at}, false);
}

void Groups::submit(Group& group, std::size_t actor, client::GroupRequest request,
                    std::vector<std::size_t> places, bool in) {
  group.busy = true;
  population_.change_group(
      group.pool[actor], std::move(request), fmt::format("c-{:x}-{}", options_.seed, changes_),
      [&group, places = std::move(places), in](const Result<client::SendReceipt>& receipt) {
        group.busy = false;
        if (!receipt) return;
        for (const std::size_t at : places) group.in[at] = in;
      });
}

}  // namespace hongyan::checker
