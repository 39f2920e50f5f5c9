#include "logic/store/mysql/mysql_shard.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/mysql/threads/group_writer.h"
#include "logic/store/mysql/threads/shard_keeper.h"
#include "logic/store/mysql/threads/shard_reader.h"
#include "logic/store/mysql/threads/shard_writer.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kDrain{5000};

std::vector<Slot> checked(const ShardConfig& config) {
  auto slots = parse_slots(config.slots);
  if (!slots) throw std::invalid_argument("shard " + config.name + ": " + slots.error().message);
  if (config.writers == 0 || config.readers == 0) {
    throw std::invalid_argument("shard " + config.name + ": at least one writer and one reader");
  }
  if (config.batch_rows == 0) throw std::invalid_argument("shard " + config.name + ": batch_rows is 0");
  if (config.host.empty() == config.socket.empty()) {
    throw std::invalid_argument("shard " + config.name + ": either host or socket");
  }
  return std::move(*slots);
}

class MysqlShard final : public Shard {
 public:
  MysqlShard(std::size_t index, ShardConfig config, ShardDeps deps, const WriteHooks& hooks)
      : config_(std::move(config)),
        deps_(deps),
        reader_(config_, deps_.node, state_, {.commit_fault = {}, .before_write = hooks.before_write}),
        keeper_(index, config_, deps_, checked(config_), state_),
        groups_({.config = config_, .shard = deps_, .state = state_, .hooks = hooks}) {
    for (std::size_t i = 0; i < config_.writers; ++i) {
      writers_.push_back(std::make_unique<ShardWriter>(
          WriterDeps{.config = config_, .shard = deps_, .state = state_, .hooks = hooks}, i));
    }
  }

  void start() override {
    for (auto& writer : writers_) writer->start();
    groups_.start();
    reader_.start();
    keeper_.start();
  }

  void stop() override {
    const SteadyTime deadline = SteadyClock::now() + kDrain;
    for (auto& writer : writers_) writer->stop(deadline);
    groups_.stop(deadline);
    reader_.stop();
    keeper_.stop();
  }

  void set_ready(bool ready) override { keeper_.set_ready(ready); }
  void leave() override { keeper_.leave(); }

  void submit(WriterWorkPtr work) override {
    // A slot's users stay together; multiplied, so that slot threads (slot mod n) and writers do not go in
    // step.
    const std::size_t writer = (work->slot * std::size_t{0x9E3779B1U} >> 16) % writers_.size();
    writers_[writer]->submit(std::move(work));
  }
  void submit(GroupWorkPtr work) override { groups_.submit(std::move(work)); }

  [[nodiscard]] bool serving() const noexcept override { return state_.serving(SteadyClock::now()); }
  [[nodiscard]] bool down() const noexcept override { return state_.down(); }
  [[nodiscard]] std::string trouble() const override { return state_.trouble(); }

  void read_inbox(UserKey user, std::int64_t after, std::int64_t up_to, std::size_t limit,
                  std::size_t byte_budget, ReadDone done) override {
    reader_.read(PageRequest{Box::kInbox, std::move(user), after, up_to, limit, byte_budget},
                 std::move(done));
  }

  void read_outbox(UserKey user, std::int64_t after, std::int64_t up_to, std::size_t limit,
                   std::size_t byte_budget, ReadDone done) override {
    reader_.read(PageRequest{Box::kOutbox, std::move(user), after, up_to, limit, byte_budget},
                 std::move(done));
  }

  void read_accepted(Slot slot, std::vector<MsgId> ids, RedoDone done) override {
    reader_.read(ShardReader::AcceptedRequest{slot, std::move(ids)}, std::move(done));
  }

  void read_placed(Slot slot, std::vector<MsgId> ids, PlacedDone done) override {
    reader_.read(ShardReader::PlacedRequest{slot, std::move(ids)}, std::move(done));
  }

  void read_group(std::string app_id, std::int64_t group_id, std::int64_t after, std::int64_t up_to,
                  std::size_t limit, std::size_t byte_budget, ReadDone done) override {
    reader_.read(GroupPageRequest{std::move(app_id), group_id, after, up_to, limit, byte_budget},
                 std::move(done));
  }

  void count_memberships(UserKey asker, std::vector<UserKey> users, CountsDone done) override {
    reader_.read(ShardReader::CountsRequest{std::move(asker), std::move(users)}, std::move(done));
  }

  void run_user_request(UserRequest request, UserDone done) override {
    TenurePtr tenure = state_.tenure();
    if (!state_.serving(SteadyClock::now()) || !tenure->owns(request.slot)) {
      return done(fail(Code::kUnavailable, "the shard is not served", kRetrySoonMs));
    }
    reader_.run({.request = std::move(request), .tenure = std::move(tenure)}, std::move(done));
  }

  void write_upkeep(Upkeep upkeep) override { keeper_.write_upkeep(std::move(upkeep)); }

  [[nodiscard]] std::int64_t clock_ms() const noexcept override { return state_.clock_ms(); }
  [[nodiscard]] std::string settings() const override { return state_.settings(); }

 private:
  const ShardConfig config_;
  const ShardDeps deps_;
  ShardState state_;
  ShardReader reader_;
  ShardKeeper keeper_;
  GroupWriter groups_;
  std::vector<std::unique_ptr<ShardWriter>> writers_;
};

}  // namespace

std::unique_ptr<Shard> make_mysql_shard(std::size_t index, ShardConfig config, ShardDeps deps,
                                        const WriteHooks& hooks) {
  return std::make_unique<MysqlShard>(index, std::move(config), deps, hooks);
}

std::unique_ptr<Shard> make_mysql_shard(std::size_t index, ShardConfig config, ShardDeps deps) {
  return make_mysql_shard(index, std::move(config), deps, WriteHooks{});
}

}  // namespace hongyan::logic
