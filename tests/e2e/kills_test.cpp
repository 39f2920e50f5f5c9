// Pairs of users send while every daemon and server is killed with -9 and restarted in turn. Afterwards each
// acknowledged message stands exactly once in its receiver's inbox, in order, with the same bytes.
//
// HONGYAN_KILL_SECONDS: how long (default 60). HONGYAN_KILL_PAIRS: how many pairs (default 20).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>

#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

int setting(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

struct Sent {
  std::string client_msg_id;
  std::string content;
  bool acknowledged = false;  // else the outcome is unknown
  std::int64_t msg_id = 0;
};

std::string content_of(int number) {
  const std::string tag = std::to_string(number) + ":";
  switch (number % 6) {
    case 0:
      return "";
    case 1:
      return tag + std::string("\0 \xff", 3);
    case 2:
      return tag + "\xF0\x9F\xA6\xA2\xE9\xB8\xBF\xE9\x9B\x81";
    case 3:
      return tag + std::string(number % 60 == 3 ? 60 << 10 : 600, 'x');
    default:
      return tag + "plain";
  }
}

class Pair {
 public:
  Pair() : sender_(unique("sender")), receiver_(unique("receiver"), from_start()) {
    receiver_.start();
    sender_.start();
  }
  static client::ClientOptions from_start() {
    client::ClientOptions options;
    options.held_inbox = 0;
    return options;
  }

  void send_until(const std::atomic<bool>& stop) {
    for (int number = 0; !stop; ++number) {
      Sent one{.client_msg_id = unique("m"), .content = content_of(number)};
      const auto receipt =
          sender_.send(receiver_.uid(), one.content,
                       {.client_msg_id = one.client_msg_id, .deadline = std::chrono::seconds(60)});
      one.acknowledged = receipt.has_value();
      if (receipt) {
        one.msg_id = receipt->msg_id;
        resent_ += receipt->attempts > 1 ? 1 : 0;
      }
      sent_.push_back(std::move(one));
    }
  }

  // All acknowledged ones are there once, in order; nothing else but those of unknown outcome.
  void check(const std::vector<client::Message>& inbox, const char* how) const {
    std::map<std::string, std::size_t> place;
    for (std::size_t i = 0; i < inbox.size(); ++i) {
      EXPECT_EQ(inbox[i].seq, static_cast<std::int64_t>(i + 1)) << how << ": gap";
      EXPECT_TRUE(place.emplace(inbox[i].client_msg_id, i).second) << how << ": duplicate";
    }
    std::size_t last = 0;
    for (const auto& one : sent_) {
      const auto it = place.find(one.client_msg_id);
      if (it == place.end()) {
        EXPECT_FALSE(one.acknowledged) << how << ": lost " << one.client_msg_id;
        continue;
      }
      const auto& message = inbox[it->second];
      EXPECT_TRUE(message.content == one.content) << how << ": changed";
      EXPECT_EQ(message.from, sender_.uid());
      if (one.acknowledged) {
        EXPECT_EQ(message.msg_id, one.msg_id) << how;
        EXPECT_GE(it->second, last) << how << ": inversion";
        last = it->second;
      }
      place.erase(it);
    }
    EXPECT_TRUE(place.empty()) << how << ": ghosts";
  }

  [[nodiscard]] std::size_t acknowledged() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(sent_, [](const Sent& one) { return one.acknowledged; }));
  }
  [[nodiscard]] std::size_t unknown() const { return sent_.size() - acknowledged(); }
  [[nodiscard]] int resent() const { return resent_; }
  [[nodiscard]] TestClient& receiver() { return receiver_; }

 private:
  TestClient sender_;
  TestClient receiver_;
  std::vector<Sent> sent_;
  int resent_ = 0;
};

TEST(KillsTest, NothingAcknowledgedIsLost) {
  const Cluster& cluster = Cluster::get();
  std::vector<std::unique_ptr<Pair>> pairs;
  const int count = setting("HONGYAN_KILL_PAIRS", 20);
  for (int i = 0; i < count; ++i) pairs.push_back(std::make_unique<Pair>());
  for (auto& pair : pairs) ASSERT_TRUE(pair->receiver().wait_online());

  std::atomic<bool> stop = false;
  std::vector<std::thread> senders;
  for (auto& pair : pairs) senders.emplace_back([&pair, &stop] { pair->send_until(stop); });
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(setting("HONGYAN_KILL_SECONDS", 60));
  const std::vector<std::string> victims = {"gate-1", "logic-1", "mysql-1", "redis"};
  int kills = 0;
  while (std::chrono::steady_clock::now() < end) {
    const auto& victim = victims[static_cast<std::size_t>(kills++) % victims.size()];
    EXPECT_TRUE(cluster.kill(victim)) << victim;
    EXPECT_TRUE(cluster.restart(victim)) << victim;
  }
  stop = true;
  for (auto& sender : senders) sender.join();

  std::size_t acknowledged = 0;
  std::size_t unknown = 0;
  int resent = 0;
  for (auto& pair : pairs) {
    acknowledged += pair->acknowledged();
    unknown += pair->unknown();
    resent += pair->resent();
    // The receiver that was there all the time, however often it was cut off.
    ASSERT_TRUE(pair->receiver().wait_messages(pair->acknowledged(), std::chrono::seconds(60)));
    ASSERT_TRUE(pair->receiver().pull());
    pair->check(pair->receiver().messages(), "live");
    // A new device that pulls everything.
    client::ClientOptions options = Pair::from_start();
    options.device_type = client::DEVICE_TYPE_WEB;
    TestClient fresh(pair->receiver().uid(), options);
    fresh.start();
    ASSERT_TRUE(fresh.wait_messages(pair->acknowledged(), std::chrono::seconds(60)));
    ASSERT_TRUE(fresh.pull());
    pair->check(fresh.messages(), "pulled");
  }
  fmt::print("pairs={} kills={} acknowledged={} unknown={} resent={}\n", count, kills, acknowledged, unknown,
             resent);
  EXPECT_GT(acknowledged, 0U);
}

}  // namespace
}  // namespace hongyan::e2e
