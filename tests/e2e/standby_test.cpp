// Two logic nodes: one serves, the other stands by and takes over, whether the first one is killed, stands still or
// is told to stop. Nothing acknowledged is lost, and messages keep their order.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include "tests/e2e/conversation.h"

namespace hongyan::e2e {
namespace {

class StandbyTest : public ::testing::Test {
 protected:
  StandbyTest() { talk_.send(1); }  // somebody serves

  // Under load: what ends the node, then what brings it back, as the one that stands by.
  void change_over(const std::function<void()>& end, const std::function<void()>& back) {
    std::atomic<bool> stop = false;
    std::thread load([this, &stop] {
      while (!stop) talk_.send(1);
    });
    end();
    const int before = talk_.sent();
    EXPECT_TRUE(tools::eventually([&] { return talk_.sent() > before + 20; })) << "nobody took over";
    stop = true;
    load.join();
    back();
    talk_.send(5);
    talk_.expect_all();
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

  Conversation talk_;
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

// It wakes up when another has its slots: it forgets what it had, and takes over in its turn.
TEST_F(StandbyTest, TakesOverFromANodeThatStandsStillAndTheOtherWayRound) {
  const std::string node = leader();
  const int pid = cluster_.members().at(node);
  change_over(
      [&] {
        ASSERT_EQ(::kill(pid, SIGSTOP), 0);
        EXPECT_TRUE(tools::eventually([&] { return leader() != node; }));
      },
      [&] { ASSERT_EQ(::kill(pid, SIGCONT), 0); });
  const std::string other = leader();
  change_over([&] { ASSERT_TRUE(cluster_.kill(other)); }, [&] { ASSERT_TRUE(cluster_.restart(other)); });
  EXPECT_EQ(leader(), node);
  EXPECT_EQ(cluster_.members().at(node), pid) << "it has not ended";
}

}  // namespace
}  // namespace hongyan::e2e
