// Kafka is killed (-9) under uploads and messages and comes back. Afterwards each acknowledged upload is in
// its topic, first copies of a user's uploads are in the order in which they were sent, logic's memory stayed
// bounded, events were only late, and messages between users did not notice.
//
// HONGYAN_KAFKA_AWAY_SECONDS: how long it is away (default 8).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "tests/e2e/event_log.h"
#include "tests/e2e/test_client.h"
#include "tests/support/kafka_reader.h"

namespace hongyan::e2e {
namespace {

using std::chrono::seconds;

int away_seconds() {
  const char* value = std::getenv("HONGYAN_KAFKA_AWAY_SECONDS");
  return value == nullptr ? 8 : std::atoi(value);
}

std::size_t rss_mib() {
  std::ifstream status(fmt::format("/proc/{}/status", tools::Cluster::get().members()["logic-1"]));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) / 1024;
  }
  ADD_FAILURE() << "no VmRSS of logic-1";
  return 0;
}

// Uploads one after the other, each sent until it is acknowledged.
class Uploader {
 public:
  Uploader() : client_(tools::unique("uploader")) { client_.start(); }
  void run(const std::atomic<bool>& stop) {
    for (int i = 0; !stop; ++i) {
      const auto receipt = client_.upload("orders", std::to_string(i), {.deadline = seconds(120)});
      EXPECT_TRUE(receipt) << receipt.error().message;
      acknowledged_.push_back(receipt ? receipt->client_msg_id : "");
      resent_ += receipt && receipt->attempts > 1 ? 1 : 0;
    }
  }
  void check(const std::vector<test::KafkaMessage>& topic) const {
    std::vector<std::string> first_copies;
    std::set<std::string> seen;
    for (const auto& message : topic) {
      if (message.key != client_.uid()) continue;
      const auto id = test::header(message, "hongyan_client_msg_id");
      if (seen.insert(id).second) first_copies.push_back(id);
    }
    EXPECT_EQ(first_copies, acknowledged_) << client_.uid();
  }
  [[nodiscard]] std::size_t count() const { return acknowledged_.size(); }
  [[nodiscard]] int resent() const { return resent_; }

 private:
  TestClient client_;
  std::vector<std::string> acknowledged_;
  int resent_ = 0;
};

// More than logic takes for a Kafka that is away, all at once.
class Flood {
 public:
  static constexpr int kClients = 12;
  static constexpr int kEach = 110;
  Flood() {
    client::ClientOptions options;
    options.strict_order = false;
    for (int i = 0; i < kClients; ++i) {
      clients_.push_back(std::make_unique<TestClient>(tools::unique("flood"), options));
      clients_.back()->start();
      EXPECT_TRUE(clients_.back()->wait_online());
    }
  }
  void begin() {
    const std::string content(60 << 10, 'f');
    for (auto& client : clients_) {
      for (int i = 0; i < kEach; ++i) {
        client->client().upload("feedback", content, {.deadline = seconds(180)},
                                [this](Result<client::SendReceipt> receipt) {
                                  const std::scoped_lock lock(mutex_);
                                  if (receipt) acknowledged_.insert(receipt->client_msg_id);
                                  ++answered_;
                                });
      }
    }
  }
  [[nodiscard]] bool answered() {
    const std::scoped_lock lock(mutex_);
    return answered_ == kClients * kEach;
  }
  void check(const std::vector<test::KafkaMessage>& topic) {
    std::set<std::string> found;
    for (const auto& message : topic) found.insert(test::header(message, "hongyan_client_msg_id"));
    const std::scoped_lock lock(mutex_);
    EXPECT_EQ(acknowledged_.size(), static_cast<std::size_t>(kClients * kEach));
    EXPECT_TRUE(std::ranges::includes(found, acknowledged_));
  }

 private:
  std::mutex mutex_;
  std::set<std::string> acknowledged_;
  int answered_ = 0;
  std::vector<std::unique_ptr<TestClient>> clients_;
};

// Sends message after message, and says how long answers took.
class Talker {
 public:
  Talker() : alice_(tools::unique("alice")), bob_(tools::unique("bob")) {
    alice_.start();
    bob_.start();
  }
  // Sorted, in ms.
  std::vector<double> talk(std::chrono::milliseconds duration) {
    std::vector<double> out;
    const auto until = SteadyClock::now() + duration;
    while (SteadyClock::now() < until) {
      const auto begun = SteadyClock::now();
      const auto receipt = alice_.send(bob_.uid(), "hi");
      EXPECT_TRUE(receipt) << receipt.error().message;
      out.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - begun).count());
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // a pace, not a wait for anything
    }
    std::ranges::sort(out);
    return out;
  }

 private:
  TestClient alice_, bob_;
};

double at(const std::vector<double>& sorted, double quantile) {
  return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * quantile)];
}

constexpr int kUploaders = 10;

TEST(KafkaAwayTest, LosesNothingAndHoldsUpNobody) {
  std::vector<std::unique_ptr<Uploader>> uploaders;
  uploaders.reserve(kUploaders);
  for (int i = 0; i < kUploaders; ++i) uploaders.push_back(std::make_unique<Uploader>());
  Flood flood;
  Talker talker;
  std::atomic<bool> stop{false};
  std::vector<std::jthread> threads;
  threads.reserve(kUploaders);
  for (auto& uploader : uploaders) {
    threads.emplace_back([&uploader, &stop] { uploader->run(stop); });
  }
  const auto before = talker.talk(seconds(2));
  const std::size_t rss_before = rss_mib();

  ASSERT_TRUE(tools::Cluster::get().kill("kafka"));
  flood.begin();
  std::atomic<std::size_t> rss_peak{rss_before};
  std::jthread watch([&rss_peak](const std::stop_token& end) {
    while (!end.stop_requested()) {
      rss_peak = std::max(rss_peak.load(), rss_mib());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  const std::string visitor_uid = tools::unique("visitor");
  {
    TestClient visitor(visitor_uid);
    visitor.start();
    EXPECT_TRUE(visitor.wait_online()) << "a login needs no Kafka";
    visitor.stop();
  }
  const auto away = talker.talk(seconds(away_seconds()));
  ASSERT_TRUE(tools::Cluster::get().restart("kafka"));
  EXPECT_TRUE(tools::eventually([&flood] { return flood.answered(); }, seconds(180)));
  static_cast<void>(talker.talk(seconds(2)));  // uploads under a Kafka that is back
  stop = true;
  threads.clear();
  watch.request_stop();
  watch.join();

  const std::string brokers = tools::Cluster::get().variable("HONGYAN_KAFKA");
  const auto orders = test::read_topic(brokers, "im.c2s.orders");
  std::size_t count = 0;
  int resent = 0;
  for (const auto& uploader : uploaders) {
    uploader->check(orders);
    count += uploader->count();
    resent += uploader->resent();
    EXPECT_GT(uploader->resent(), 0) << "Kafka was not away for this one";
  }
  EXPECT_TRUE(tools::eventually([&visitor_uid] { return events_of(visitor_uid).size() == 2; }));
  flood.check(test::read_topic(brokers, "im.c2s.feedback"));
  fmt::print(
      "uploads={} copies={} resent={} c2c ms p50/p99/max: before {:.2f}/{:.2f}/{:.2f} away "
      "{:.2f}/{:.2f}/{:.2f} rss MiB: before {} peak {}\n",
      count, orders.size() - count, resent, at(before, 0.5), at(before, 0.99), before.back(), at(away, 0.5),
      at(away, 0.99), away.back(), rss_before, rss_peak.load());
  // Room for a busy machine; a slot thread that waits for Kafka would take seconds.
  EXPECT_LT(at(away, 0.5), 3 * at(before, 0.5) + 5);
  EXPECT_LT(away.back(), 1000);
  // kafka.queue_bytes is 64 MiB, and what stands in the links' buffers comes on top.
  if (!tools::kSanitized) EXPECT_LT(rss_peak.load(), rss_before + 128);
}

}  // namespace
}  // namespace hongyan::e2e
