// A shard on a private MariaDB, and doubles that record what it tells the pipeline.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "logic/store/mysql/mysql_shard.h"
#include "logic/store/shard.h"
#include "tests/support/mariadb_server.h"

namespace hongyan::testing {

inline constexpr std::chrono::seconds kPatience{20};

// Any thread. Keeps finished work in the order of completion.
class RecordingSink : public logic::WriterSink {
 public:
  void completed(std::vector<logic::WriterWorkPtr> batch) override { keep(std::move(batch)); }
  void completed(std::vector<logic::GroupWorkPtr> batch) override { keep(std::move(batch)); }
  // Waits until so many were completed in all; false when they are not in time.
  [[nodiscard]] bool wait_for(std::size_t count);
  [[nodiscard]] std::size_t count();
  // After wait_for. Indices are in the order of completion.
  [[nodiscard]] logic::OutboxWork& outbox(std::size_t index) { return row<logic::OutboxWork>(index); }
  [[nodiscard]] logic::InboxWork& inbox(std::size_t index) { return row<logic::InboxWork>(index); }
  [[nodiscard]] logic::TailsWork& tails(std::size_t index) { return row<logic::TailsWork>(index); }
  [[nodiscard]] logic::GroupWork& group(std::size_t index) {
    return *std::get<logic::GroupWorkPtr>(done_.at(index));
  }
  [[nodiscard]] logic::StoreWork& work(std::size_t index) {
    return std::visit([](const auto& work) -> logic::StoreWork& { return *work; }, done_.at(index));
  }

 private:
  template <typename Work>
  [[nodiscard]] Work& row(std::size_t index) {
    return *std::get<logic::WriterWorkPtr>(done_.at(index)).as<Work>();
  }
  template <typename Work>
  void keep(std::vector<Work> batch) {
    const std::lock_guard lock(mutex_);
    for (auto& work : batch) done_.push_back(std::move(work));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::variant<logic::WriterWorkPtr, logic::GroupWorkPtr>> done_;
};

class RecordingObserver : public logic::ShardObserver {
 public:
  void shard_acquired(std::size_t, std::vector<logic::AcquiredSlot> slots, logic::Redo redo) override;
  void shard_suspended(std::size_t, const std::string&) override;
  void shard_lost(std::size_t, std::vector<Slot> slots) override;
  void shard_resumed(std::size_t) override;
  void fenced_off(std::size_t, const std::string&) override;

  [[nodiscard]] bool wait_until(const std::function<bool(const RecordingObserver&)>& holds);

  int acquired = 0;
  std::vector<Slot> lost;
  int suspended = 0;
  int resumed = 0;
  int fenced = 0;
  std::vector<logic::AcquiredSlot> slots;
  logic::Redo redo;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

// One "process": clock, sink, observer and shard. Members in the order of their lives.
struct Node {
  Node(const logic::ShardConfig& config, std::uint32_t number, std::uint64_t boot,
       const logic::WriteHooks& hooks = {}, logic::Leadership* leadership = nullptr);
  ~Node();
  [[nodiscard]] bool start();  // true once the shard is acquired

  MsgIdClock clock;
  RecordingSink sink;
  RecordingObserver observer;
  std::unique_ptr<logic::Shard> shard;
};

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override;

  // The suite's server; tests that hurt it use their own and call use().
  static MariadbServer& shared_server();
  void use(MariadbServer& server);

  [[nodiscard]] std::string sql(const std::string& text) { return server_->sql(text, config_.database); }
  [[nodiscard]] std::int64_t number(const std::string& text) { return std::stoll(sql(text)); }
  // Those of the shard to its database.
  void end_connections();

  static std::unique_ptr<logic::OutboxWork> outbox(const std::string& uid, const std::string& client_msg_id,
                                                   const std::string& content = "hi");
  static std::unique_ptr<logic::InboxWork> inbox(const std::string& uid, MsgId msg_id,
                                                 const std::string& content = "hi");

  MariadbServer* server_ = nullptr;
  logic::ShardConfig config_;
};

}  // namespace hongyan::testing
