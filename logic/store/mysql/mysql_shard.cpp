#include "logic/store/mysql/mysql_shard.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "logic/store/mysql/group_writer.h"
#include "logic/store/mysql/shard_keeper.h"
#include "logic/store/mysql/shard_reader.h"
#include "logic/store/mysql/shard_state.h"

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
  MysqlShard(std::size_t index, ShardConfig config, ShardDeps deps, const ShardHooks& hooks)
      : config_(std::move(config)),
        deps_(deps),
        reader_(config_, state_),
        keeper_(index, config_, deps_, checked(config_), state_),
        groups_({.config = config_, .shard = deps_, .state = state_, .commit_fault = hooks.commit_fault}) {
    for (std::size_t i = 0; i < config_.writers; ++i) {
      writers_.push_back(std::make_unique<ShardWriter>(
          ShardWriter::Deps{
              .config = config_, .shard = deps_, .state = state_, .commit_fault = hooks.commit_fault},
          i));
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

  void submit(WriterWorkPtr work) override {
    if (work->kind() == WriterWork::Kind::kGroup) {
      return groups_.submit(std::unique_ptr<GroupWork>(static_cast<GroupWork*>(work.release())));
    }
    // A slot's users stay together; multiplied, so that slot threads (slot mod n) and writers do not go in
    // step.
    const std::size_t writer = (work->slot * std::size_t{0x9E3779B1U} >> 16) % writers_.size();
    writers_[writer]->submit(std::move(work));
  }

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

  void run_user_request(UserRequest request, UserDone done) override {
    if (!state_.serving(SteadyClock::now()) || !state_.owns(request.slot)) {
      return done(fail(Code::kUnavailable, "the shard is not served", 200));
    }
    const FenceKey fence{.node = deps_.node, .epoch = state_.epoch()};
    reader_.run({.request = std::move(request), .fence = fence}, std::move(done));
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
                                        const ShardHooks& hooks) {
  return std::make_unique<MysqlShard>(index, std::move(config), deps, hooks);
}

std::unique_ptr<Shard> make_mysql_shard(std::size_t index, ShardConfig config, ShardDeps deps) {
  return make_mysql_shard(index, std::move(config), deps, ShardHooks{});
}

}  // namespace hongyan::logic
