#include "logic/store/mysql/schema/schema.h"

#include <latch>
#include <thread>

#include "logic/store/mysql/schema/shard_check.h"
#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

class SchemaTest : public StoreTest {
 protected:
  [[nodiscard]] std::unique_ptr<logic::MysqlConnection> connect() const {
    auto connection = logic::MysqlConnection::open(logic::endpoint_of(config_));
    return connection ? std::move(*connection) : nullptr;
  }
};

TEST_F(SchemaTest, ApplyingTwiceChangesNothing) {
  auto connection = connect();
  auto again = logic::apply_schema(*connection, logic::builtin_schema());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty());
  EXPECT_TRUE(logic::check_shard(config_));
}

TEST_F(SchemaTest, TwoAppliersDoNotMeet) {
  static_cast<void>(sql("DROP TABLE im_schema"));
  std::latch begin(4);
  std::atomic<int> applied{0};
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const logic::MysqlThread thread;
        auto connection = connect();
        begin.arrive_and_wait();
        const auto done = logic::apply_schema(*connection, logic::builtin_schema());
        done ? applied += static_cast<int>(done->size()) : ++failed;
      });
    }
  }
  EXPECT_EQ(applied, static_cast<int>(logic::builtin_schema().size()));
  EXPECT_EQ(failed, 0);
}

TEST_F(SchemaTest, ChangedFileAndUnknownVersionAreRefused) {
  auto connection = connect();
  auto files = logic::builtin_schema();
  files[0].sql += " ";
  EXPECT_EQ(logic::apply_schema(*connection, files).error().code, Code::kFailedPrecondition);
  static_cast<void>(sql("INSERT INTO im_schema VALUES (99, '0099_later.sql', '', 0)"));
  EXPECT_EQ(logic::apply_schema(*connection, logic::builtin_schema()).error().code,
            Code::kFailedPrecondition);
  EXPECT_EQ(logic::check_shard(config_).error().code, Code::kFailedPrecondition);
}

TEST_F(SchemaTest, SlotsAndMapVersionMustAgree) {
  auto connection = connect();
  EXPECT_EQ(logic::record_slots(*connection, "0-99", 1).error().code, Code::kFailedPrecondition);
  logic::ShardConfig other = config_;
  other.slots = "0-1023";
  EXPECT_EQ(logic::check_shard(other).error().code, Code::kFailedPrecondition);
  other = config_;
  other.map_version = 2;
  EXPECT_EQ(logic::check_shard(other).error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(logic::record_slots(*connection, "0-4095", 2));
  EXPECT_TRUE(logic::check_shard(other));
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_slot WHERE owner IS NULL"), 4096);
}

TEST_F(SchemaTest, UnsafeFlushSettingAndMissingServerAreTold) {
  MariadbServer server({"--innodb-flush-log-at-trx-commit=2"});
  use(server);
  const Status checked = logic::check_shard(config_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::kFailedPrecondition);
  EXPECT_NE(checked.error().message.find("innodb_flush_log_at_trx_commit is 2"), std::string::npos);
  server.kill_hard();
  EXPECT_EQ(logic::check_shard(config_).error().code, Code::kUnavailable);
}

TEST_F(SchemaTest, WorksOverTcpAndRefusesAWrongPassword) {
  config_.socket.clear();
  config_.host = "127.0.0.1";
  config_.port = server_->port();
  EXPECT_TRUE(logic::check_shard(config_));
  config_.password = "wrong";
  EXPECT_EQ(logic::check_shard(config_).error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace hongyan::testing
