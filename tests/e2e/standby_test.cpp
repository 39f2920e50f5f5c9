// Two logic nodes: one serves, the other stands by and takes over, whether the first one is killed, stands still or
// is told to stop. Nothing acknowledged is lost, and messages keep their order.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

class StandbyTest : public ::testing::Test {
 protected:
  StandbyTest() : alice_(tools::unique("alice")), bob_(tools::unique("bob"), from_start()) {
    alice_.start();
    bob_.start();
    EXPECT_TRUE(alice_.wait_online());
    EXPECT_TRUE(bob_.wait_online());
    send(1);  // somebody serves
  }
  static client::ClientOptions from_start() {
    client::ClientOptions options;
    options.held_inbox = 0;
    return options;
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) {
      const auto receipt = alice_.send(bob_.uid(), std::to_string(++sent_));
      ASSERT_TRUE(receipt) << sent_ << " " << receipt.error().message;
    }
  }
  void expect_all() {
    ASSERT_TRUE(bob_.wait_messages(static_cast<std::size_t>(sent_)));
    const auto messages = bob_.messages();
    ASSERT_EQ(messages.size(), static_cast<std::size_t>(sent_));
    for (int i = 0; i < sent_; ++i)
      EXPECT_EQ(messages[static_cast<std::size_t>(i)].content, std::to_string(i + 1));
  }
  // Under load: what ends the node, then what brings it back, as the one that stands by.
  void change_over(const std::function<void()>& end, const std::function<void()>& back) {
    std::atomic<bool> stop = false;
    std::thread load([this, &stop] {
      while (!stop) send(1);
    });
    end();
    const int sent_before = sent_;
    EXPECT_TRUE(tools::eventually([&] { return sent_ > sent_before + 20; })) << "nobody took over";
    stop = true;
    load.join();
    back();
    send(5);
    expect_all();
  }

  // Who has the slots.
  std::string leader() const {
    std::string owner;
    EXPECT_TRUE(tools::eventually([&] {
      owner = cluster_.sql(0, "SELECT COALESCE(MAX(owner), 0) FROM im_slot");
      return owner.starts_with('1') || owner.starts_with('2');
    }));
    return "logic-" + owner.substr(0, 1);
  }
  bool gone(const std::string& node) const {
    return tools::eventually([&] { return cluster_.members().at(node) == 0; });
  }

  TestClient alice_;
  TestClient bob_;
  std::atomic<int> sent_ = 0;
  const tools::Cluster& cluster_ = tools::Cluster::get();
};

TEST_F(StandbyTest, TakesOverFromAKilledNodeAndTheOtherWayRound) {
  for (int i = 0; i < 2; ++i) {
    const std::string node = leader();
    change_over([&] { ASSERT_TRUE(cluster_.kill(node)); }, [&] { ASSERT_TRUE(cluster_.restart(node)); });
    EXPECT_NE(leader(), node);
  }
}

TEST_F(StandbyTest, TakesOverFromANodeThatIsToldToStop) {
  const std::string node = leader();
  const int pid = cluster_.members().at(node);
  change_over(
      [&] {
        ASSERT_EQ(::kill(pid, SIGTERM), 0);
        EXPECT_TRUE(gone(node));
      },
      [&] { ASSERT_TRUE(cluster_.restart(node)); });
  EXPECT_NE(leader(), node);
}

// It wakes up when another has its slots: it must end, and what it still holds for its clients is refused.
TEST_F(StandbyTest, TakesOverFromANodeThatStandsStill) {
  const std::string node = leader();
  const int pid = cluster_.members().at(node);
  change_over(
      [&] {
        ASSERT_EQ(::kill(pid, SIGSTOP), 0);
        EXPECT_TRUE(tools::eventually([&] { return leader() != node; }));
      },
      [&] {
        ASSERT_EQ(::kill(pid, SIGCONT), 0);
        EXPECT_TRUE(gone(node));
        ASSERT_TRUE(cluster_.restart(node));
      });
}

}  // namespace
}  // namespace hongyan::e2e
