// What a device acknowledged outlives the logic daemon.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/e2e/gate_client.h"
#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

constexpr auto kPhone = client::DEVICE_TYPE_IOS;
constexpr auto kPage = client::DEVICE_TYPE_WEB;
constexpr std::chrono::seconds kFlush{5};  // pipeline.cursor_flush

class CursorsTest : public ::testing::Test {
 protected:
  CursorsTest()
      : alice_(tools::unique("alice")),
        uid_(tools::unique("bob")),
        token_(tools::Cluster::get().token(uid_)) {
    alice_.start();
    EXPECT_TRUE(alice_.wait_online());
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(alice_.send(uid_, std::to_string(i)));
    sent_ += count;
  }
  // Logs in, acknowledges, goes. seq 0: acknowledges nothing. Answers the cursor that the login was told.
  std::int64_t visit(client::DeviceType device, std::int64_t seq = 0) {
    client::AuthResp answer;
    const bool in = tools::eventually([&] {
      GateClient raw;
      answer = raw.login(uid_, token_, device);
      if (answer.has_error() || answer.inbox_seq() < sent_) return false;  // not delivered yet
      if (seq > 0) raw.ack(seq);
      return true;
    });
    EXPECT_TRUE(in) << answer.error().message();
    return answer.acked_inbox_seq();
  }
  // The cursor as the database holds it, as text; "" when it holds none.
  [[nodiscard]] std::string stored() const {
    std::string all;
    for (std::size_t shard = 0; shard < tools::Cluster::get().shards(); ++shard) {
      all += tools::Cluster::get().sql(
          shard, fmt::format("SELECT acked_seq FROM im_user_cursor WHERE user_id = '{}' AND kind = 1", uid_));
    }
    return all;
  }

  int sent_ = 0;
  TestClient alice_;
  const std::string uid_;
  const std::string token_;
};

TEST_F(CursorsTest, APoliteRestartLosesNothing) {
  send(5);
  EXPECT_EQ(visit(kPhone, 3), 0);
  ASSERT_TRUE(tools::Cluster::get().restart("logic-1"));
  EXPECT_EQ(stored(), "3\n");
  EXPECT_EQ(visit(kPhone), 3);
}

TEST_F(CursorsTest, AKillLosesAtMostOneFlushInterval) {
  send(5);
  visit(kPhone, 2);
  EXPECT_TRUE(tools::eventually([this] { return stored() == "2\n"; }, kFlush + std::chrono::seconds(2)));
  visit(kPhone, 4);
  ASSERT_TRUE(tools::Cluster::get().kill("logic-1"));
  ASSERT_TRUE(tools::Cluster::get().restart("logic-1"));
  const std::int64_t told = visit(kPhone);
  EXPECT_TRUE(told == 2 || told == 4) << told;
}

TEST_F(CursorsTest, EachClassOfDevicesHasItsOwn) {
  send(5);
  visit(kPhone, 2);
  visit(kPage, 5);
  ASSERT_TRUE(tools::Cluster::get().restart("logic-1"));
  EXPECT_EQ(visit(kPhone), 2);
  EXPECT_EQ(visit(kPage), 5);
  EXPECT_EQ(visit(client::DEVICE_TYPE_LINUX), 0);
}

TEST_F(CursorsTest, AcksBeyondTheHeadOrBackwardsMoveNothing) {
  send(3);
  visit(kPhone, 2);
  visit(kPhone, 4);
  visit(kPhone, 1);
  EXPECT_EQ(visit(kPhone), 2);
  ASSERT_TRUE(tools::Cluster::get().restart("logic-1"));
  EXPECT_EQ(visit(kPhone), 2);
}

TEST_F(CursorsTest, AShardThatIsAwayGetsThemLater) {
  const tools::Cluster& cluster = tools::Cluster::get();
  send(5);
  visit(kPhone, 1);
  EXPECT_TRUE(tools::eventually([this] { return stored() == "1\n"; }, kFlush + std::chrono::seconds(2)));
  GateClient raw;
  ASSERT_FALSE(raw.login(uid_, token_, kPhone).has_error());
  raw.ack(4);
  ASSERT_TRUE(cluster.kill("mysql-1"));
  ASSERT_TRUE(cluster.restart("mysql-1"));
  EXPECT_TRUE(tools::eventually([this] { return stored() == "4\n"; }, 3 * kFlush));
}

}  // namespace
}  // namespace hongyan::e2e
