#include "tests/integration/logic/store/mysql/store_fixture.h"

#include <fmt/format.h>

#include <atomic>

#include "logic/store/mysql/schema/schema.h"
#include "logic/store/mysql/schema/shard_check.h"

namespace hongyan::testing {

bool RecordingSink::wait_for(std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return done_.size() >= count; });
}

std::size_t RecordingSink::count() {
  const std::lock_guard lock(mutex_);
  return done_.size();
}

void RecordingObserver::shard_acquired(std::size_t, std::vector<logic::AcquiredSlot> taken,
                                       logic::Redo found) {
  const std::lock_guard lock(mutex_);
  ++acquired;
  slots = std::move(taken);
  redo = std::move(found);
  changed_.notify_all();
}

void RecordingObserver::shard_lost(std::size_t, std::vector<Slot> gone) {
  const std::lock_guard lock(mutex_);
  lost.insert(lost.end(), gone.begin(), gone.end());
  changed_.notify_all();
}

void RecordingObserver::shard_suspended(std::size_t, const std::string&) {
  const std::lock_guard lock(mutex_);
  ++suspended;
  changed_.notify_all();
}

void RecordingObserver::shard_resumed(std::size_t) {
  const std::lock_guard lock(mutex_);
  ++resumed;
  changed_.notify_all();
}

void RecordingObserver::fenced_off(std::size_t, const std::string&) {
  const std::lock_guard lock(mutex_);
  ++fenced;
  changed_.notify_all();
}

bool RecordingObserver::wait_until(const std::function<bool(const RecordingObserver&)>& holds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return holds(*this); });
}

Node::Node(const logic::ShardConfig& config, std::uint32_t number, std::uint64_t boot,
           const logic::WriteHooks& hooks, logic::Leadership* leadership)
    : clock(number),
      shard(logic::make_mysql_shard(0, config,
                                    {.node = number,
                                     .boot_id = boot,
                                     .clock = &clock,
                                     .sink = &sink,
                                     .observer = &observer,
                                     .leadership = leadership},
                                    hooks)) {}

Node::~Node() { shard->stop(); }

bool Node::start() {
  shard->start();
  return observer.wait_until([](const RecordingObserver& seen) { return seen.acquired > 0; });
}

MariadbServer& StoreTest::shared_server() {
  static MariadbServer server;
  return server;
}

void StoreTest::SetUp() { use(shared_server()); }

void StoreTest::use(MariadbServer& server) {
  static std::atomic<int> count{0};
  server_ = &server;
  config_.name = "0";
  config_.host.clear();
  config_.socket = server.socket();
  config_.user = "hongyan";
  config_.password = "test";
  config_.database = fmt::format("hongyan_{}", ++count);
  config_.slots = "0-4095";
  server.sql("CREATE DATABASE " + config_.database);
  auto connection = logic::MysqlConnection::open(logic::endpoint_of(config_));
  ASSERT_TRUE(connection) << connection.error().text();
  auto applied = logic::apply_schema(**connection, logic::builtin_schema());
  ASSERT_TRUE(applied) << applied.error().message;
  auto recorded = logic::record_slots(**connection, config_.slots, config_.map_version);
  ASSERT_TRUE(recorded) << recorded.error().message;
}

void StoreTest::end_connections() {
  const std::string ids =
      sql("SELECT GROUP_CONCAT(id) FROM information_schema.PROCESSLIST WHERE db = DATABASE() AND user = "
          "'hongyan'");
  for (std::size_t at = 0; at < ids.size();) {
    const std::size_t comma = std::min(ids.find(',', at), ids.size());
    static_cast<void>(sql("KILL " + ids.substr(at, comma - at)));
    at = comma + 1;
  }
}

std::unique_ptr<logic::OutboxWork> StoreTest::outbox(const std::string& uid, const std::string& client_msg_id,
                                                     const std::string& content) {
  auto work = std::make_unique<logic::OutboxWork>();
  work->user = {"app", uid};
  work->slot = slot_of("app", uid);
  work->message.to = "receiver";
  work->message.client_msg_id = client_msg_id;
  work->message.content = logic::share(content);
  work->message.sent_ms = wall_ms();
  work->message.command = 30;
  return work;
}

std::unique_ptr<logic::InboxWork> StoreTest::inbox(const std::string& uid, MsgId msg_id,
                                                   const std::string& content) {
  auto work = std::make_unique<logic::InboxWork>();
  work->user = {"app", uid};
  work->slot = slot_of("app", uid);
  work->message.id = msg_id;
  work->message.from = "sender";
  work->message.client_msg_id = fmt::format("c{}", msg_id);
  work->message.content = logic::share(content);
  work->message.sent_ms = wall_ms();
  work->message.command = 30;
  return work;
}

}  // namespace hongyan::testing
