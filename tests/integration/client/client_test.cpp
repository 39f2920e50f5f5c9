// The client library over real sockets, against a fake gate.
#include "client/cpp/client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include "common/http/server.h"
#include "tests/integration/client/slow_proxy.h"
#include "tests/support/fake_gate.h"

namespace hongyan::client {
namespace {

using testing::FakeGate;
using testing::SlowProxy;

constexpr std::chrono::seconds kPatience{10};

net::Awaitable<> keep(net::Awaitable<Result<SendReceipt>> send, std::promise<Result<SendReceipt>>* into) {
  into->set_value(co_await std::move(send));
}
net::Awaitable<> keep_status(net::Awaitable<Status> status, std::promise<Status>* into) {
  into->set_value(co_await std::move(status));
}
net::Awaitable<> keep_stop(net::Awaitable<> stop, std::promise<void>* into) {
  co_await std::move(stop);
  into->set_value();
}

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() { loop_.start(); }
  ~ClientTest() override {
    client_.reset();
    loop_.stop();
    loop_.join();
  }

  ClientOptions options() {
    ClientOptions options;
    options.uid = "alice";
    options.token = "token";
    options.gates = {{.host = "127.0.0.1", .port = gate_.port()}};
    options.reconnect_spread = Milliseconds(5);
    options.backoff_min = Milliseconds(5);
    options.backoff_max = Milliseconds(50);
    return options;
  }

  Client& make(ClientOptions client_options) {
    client_ =
        std::make_unique<Client>(std::move(client_options),
                                 Handlers{.on_message = [this](const Message& m) { note(messages_, m); },
                                          .on_state = [this](State s, const Failure&) { note(states_, s); },
                                          .on_kicked = [this](const Kick& k) { note(kicks_, k); }},
                                 loop_);
    client_->start();
    return *client_;
  }

  template <typename List, typename Item>
  void note(List& list, const Item& item) {
    const std::scoped_lock lock(mutex_);
    list.push_back(item);
    changed_.notify_all();
  }
  bool wait_for(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }
  bool wait_for_state(State state) {
    return wait_for([&] { return std::ranges::find(states_, state) != states_.end(); });
  }

  // Awaits it on the client's loop.
  Result<SendReceipt> send(const std::string& to, const std::string& content, SendOptions send_options = {}) {
    std::promise<Result<SendReceipt>> done;
    loop_.spawn("test send", keep(client_->send(to, content, std::move(send_options)), &done));
    return done.get_future().get();
  }

  FakeGate gate_;
  net::EventLoop loop_{"client-test"};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Message> messages_;
  std::vector<State> states_;
  std::vector<Kick> kicks_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, SendsAndReceives) {
  make(options());
  const std::string content = std::string("\0\xff", 2) + "\U0001F600" + std::string(60'000, 'x');
  const auto receipt = send("bob", content);
  ASSERT_TRUE(receipt) << receipt.error().message;
  ASSERT_EQ(gate_.stored().size(), 1U);
  EXPECT_EQ(gate_.stored()[0].content, content);
  EXPECT_EQ(gate_.stored()[0].client_msg_id, receipt->client_msg_id);
  gate_.store("bob", content, /*push=*/true);
  ASSERT_TRUE(wait_for([&] { return messages_.size() == 1; }));
  EXPECT_EQ(messages_[0].content, content);
  EXPECT_TRUE(gate_.wait_for([&] { return gate_.acknowledged() == 1; }));
}

TEST_F(ClientTest, PullsWhatItMissedThenTakesPushes) {
  for (int i = 1; i <= 450; ++i) gate_.store("bob", std::to_string(i), /*push=*/false);
  make(options());
  ASSERT_TRUE(wait_for([&] { return messages_.size() == 450; }));
  gate_.store("bob", "451", /*push=*/false);
  gate_.store("bob", "452", /*push=*/true);  // leaves a hole
  ASSERT_TRUE(wait_for([&] { return messages_.size() == 452; }));
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    EXPECT_EQ(messages_[i].seq, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(messages_[i].content, std::to_string(i + 1));
  }
  EXPECT_TRUE(gate_.wait_for([&] { return gate_.acknowledged() == 452; }));
}

TEST_F(ClientTest, ResendsWithTheSameIdWhenCutBeforeTheAnswer) {
  make(options());
  gate_.cut_instead_of_answering(3);
  const auto receipt = send("bob", "once");
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(receipt->attempts, 4);
  EXPECT_EQ(gate_.send_packets(), 4);
  EXPECT_EQ(gate_.stored().size(), 1U);
  EXPECT_EQ(gate_.logins(), 4);
}

TEST_F(ClientTest, ResendsWhatIsUnavailable) {
  make(options());
  gate_.refuse_sends(2, ERROR_CODE_UNAVAILABLE);
  const auto receipt = send("bob", "hello");
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->attempts, 3);
}

TEST_F(ClientTest, KeepsTheOrderOfAConversationThroughCuts) {
  Client& client = make(options());
  constexpr int kCount = 50;
  std::promise<void> all;
  int left = kCount;  // on the loop
  for (int i = 0; i < kCount; ++i) {
    client.send("bob", std::to_string(i), {}, [&](Result<SendReceipt> receipt) {
      EXPECT_TRUE(receipt);
      if (--left == 0) all.set_value();
    });
    if (i % 10 == 9) gate_.cut();
  }
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  const auto stored = gate_.stored();
  ASSERT_EQ(stored.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(stored[static_cast<std::size_t>(i)].content, std::to_string(i));
}

TEST_F(ClientTest, EndsASendAtItsDeadline) {
  make(options());
  ASSERT_TRUE(wait_for_state(State::kOnline));
  gate_.go_silent(true);
  const auto receipt = send("bob", "hello", {.deadline = Milliseconds(50)});
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, Code::kDeadlineExceeded);
}

TEST_F(ClientTest, LeavesASilentServerAndComesBack) {
  auto quick = options();
  quick.request_timeout = Milliseconds(50);
  make(quick);
  ASSERT_TRUE(wait_for_state(State::kOnline));
  gate_.go_silent(true);
  client_->send("bob", "hello", {}, [](const Result<SendReceipt>&) {});
  ASSERT_TRUE(wait_for_state(State::kWaiting));
  gate_.go_silent(false);
  EXPECT_TRUE(gate_.wait_for([&] { return gate_.logins() >= 2; }));
}

TEST_F(ClientTest, ComesBackAfterACutAndMissesNothing) {
  make(options());
  gate_.store("bob", "1", true);
  ASSERT_TRUE(gate_.wait_for([&] { return gate_.logins() == 1; }));
  for (int round = 2; round <= 6; ++round) {
    gate_.cut();
    gate_.store("bob", std::to_string(round), true);
    ASSERT_TRUE(gate_.wait_for([&] { return gate_.logins() >= round; })) << round;
  }
  ASSERT_TRUE(wait_for([&] { return messages_.size() == 6; }));
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(messages_[i].seq, static_cast<std::int64_t>(i) + 1);
}

TEST_F(ClientTest, StaysAwayWhenKickedByAnotherLogin) {
  make(options());
  ASSERT_TRUE(wait_for_state(State::kOnline));
  gate_.kick(KICK_REASON_OTHER_LOGIN);
  ASSERT_TRUE(wait_for_state(State::kStopped));
  ASSERT_EQ(kicks_.size(), 1U);
  const auto receipt = send("bob", "hello");
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, Code::kUnavailable);
  EXPECT_EQ(gate_.logins(), 1);
}

TEST_F(ClientTest, ComesBackAfterADrain) {
  make(options());
  ASSERT_TRUE(wait_for_state(State::kOnline));
  gate_.kick(KICK_REASON_SERVER_DRAIN, 20);
  EXPECT_TRUE(gate_.wait_for([&] { return gate_.logins() == 2; }));
}

TEST_F(ClientTest, TriesTheOtherGateWhenOneIsAway) {
  auto two = options();
  std::uint16_t closed_port = 0;
  {
    FakeGate gone;
    closed_port = gone.port();
  }
  two.gates.push_back({.host = "127.0.0.1", .port = closed_port});
  two.random = [] { return 0.99; };  // the list begins at its end
  make(two);
  EXPECT_TRUE(gate_.wait_for([&] { return gate_.logins() == 1; }));
}

net::Awaitable<Result<std::string>> numbered_token(std::atomic<int>* calls) {
  const int call = ++*calls;
  if (call == 1) co_return fail(Code::kUnavailable, "the token service starts");
  co_return "token-" + std::to_string(call);
}

TEST_F(ClientTest, AsksForATokenAtEachConnection) {
  std::atomic<int> calls{0};
  auto sourced = options();
  sourced.token_source = [&calls] { return numbered_token(&calls); };
  make(sourced);
  ASSERT_TRUE(gate_.wait_for([&] { return gate_.logins() == 1; }));
  EXPECT_EQ(gate_.last_token(), "token-2");
  gate_.cut();
  ASSERT_TRUE(gate_.wait_for([&] { return gate_.logins() == 2; }));
  EXPECT_EQ(gate_.last_token(), "token-3");
  client_.reset();
}

net::Awaitable<http::Response> gates_answer(std::uint16_t port) {
  co_return http::Response{
      .body = R"({"gates":[{"host":"127.0.0.1","port":)" + std::to_string(port) + R"(}],"ttl_seconds":60})",
      .headers = {}};
}

TEST_F(ClientTest, AsksAnIplistForGates) {
  http::Router router;
  router.add(http::Method::kGet, "/v1/gates",
             [port = gate_.port()](http::Request) { return gates_answer(port); });
  const auto server = http::Server::start(loop_, "127.0.0.1", 0, std::move(router));
  ASSERT_TRUE(server);
  auto asked = options();
  asked.gates.clear();
  asked.iplist = {"http://127.0.0.1:1", "http://127.0.0.1:" + std::to_string((*server)->local_port())};
  make(asked);
  EXPECT_TRUE(gate_.wait_for([&] { return gate_.logins() == 1; }));
  client_.reset();
  (*server)->stop_and_wait(Milliseconds(1'000));
}

TEST_F(ClientTest, SaysGoodbye) {
  make(options());
  ASSERT_TRUE(wait_for_state(State::kOnline));
  std::promise<void> stopped;
  loop_.spawn("test stop", keep_stop(client_->stop(), &stopped));
  ASSERT_EQ(stopped.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(states_.back(), State::kStopped);
}

TEST_F(ClientTest, PullsWhenAsked) {
  make(options());
  ASSERT_TRUE(wait_for_state(State::kOnline));
  gate_.store("bob", "unseen", /*push=*/false);
  std::promise<Status> pulled;
  loop_.spawn("test pull", keep_status(client_->pull(), &pulled));
  EXPECT_TRUE(pulled.get_future().get());
  EXPECT_EQ(messages_.size(), 1U);
}

TEST_F(ClientTest, EndsPendingSendsWhenDestroyed) {
  make(options());
  ASSERT_TRUE(wait_for_state(State::kOnline));
  gate_.go_silent(true);
  std::promise<Result<SendReceipt>> done;
  loop_.spawn("test send", keep(client_->send("bob", "hello"), &done));
  ASSERT_TRUE(gate_.wait_for([&] { return gate_.send_packets() == 1; }));
  client_.reset();
  EXPECT_EQ(done.get_future().get().error().code, Code::kDeadlineExceeded);
}

TEST_F(ClientTest, MayBeDestroyedByItsOwnHandler) {
  std::promise<void> destroyed;
  std::unique_ptr<Client> victim;
  auto handlers = Handlers{.on_state = [&](State state, const Failure&) {
    if (state != State::kOnline) return;
    victim.reset();
    destroyed.set_value();
  }};
  victim = std::make_unique<Client>(options(), std::move(handlers), loop_);
  victim->start();
  EXPECT_EQ(destroyed.get_future().wait_for(kPatience), std::future_status::ready);
}

// 20 kbit/s and a time-out of 8 s, ten times as fast.
class SlowLinkTest : public ClientTest {
 protected:
  ClientOptions on_a_slow_link() {
    auto out = options();
    out.gates = {{.host = "127.0.0.1", .port = link_.port()}};
    out.request_timeout = Milliseconds(800);
    return out;
  }

  SlowProxy link_{gate_.port(), 25'000};
};

TEST_F(SlowLinkTest, CatchesUpWithOneLogin) {
  for (int i = 1; i <= 400; ++i) gate_.store("bob", std::string(100, 'x'), /*push=*/false);
  make(on_a_slow_link());
  ASSERT_TRUE(wait_for([&] { return messages_.size() == 400; }));
  EXPECT_EQ(gate_.logins(), 1);
}

TEST_F(SlowLinkTest, TakesAMessageThatNeedsLongerThanTheTimeOut) {
  for (int i = 1; i <= 2; ++i) gate_.store("bob", std::string(30'000, 'x'), /*push=*/false);
  make(on_a_slow_link());
  ASSERT_TRUE(wait_for([&] { return messages_.size() == 2; }));
  EXPECT_EQ(gate_.logins(), 1);
}

TEST_F(SlowLinkTest, SendsEachOfManyOnce) {
  Client& client = make(on_a_slow_link());
  ASSERT_TRUE(wait_for_state(State::kOnline));
  constexpr int kCount = 20;
  std::promise<void> all;
  int left = kCount;  // on the loop
  for (int i = 0; i < kCount; ++i) {
    client.send("user " + std::to_string(i), std::string(2'500, 'x'), {}, [&](Result<SendReceipt> receipt) {
      EXPECT_TRUE(receipt);
      if (--left == 0) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(gate_.send_packets(), kCount);
  EXPECT_EQ(gate_.logins(), 1);
}

TEST_F(ClientTest, HasItsOwnThreadWhenNoLoopIsGiven) {
  Client own(options(), {});
  own.start();
  std::promise<Result<SendReceipt>> done;
  own.send("bob", "hello", {}, [&](Result<SendReceipt> receipt) { done.set_value(std::move(receipt)); });
  EXPECT_TRUE(done.get_future().get());
}

}  // namespace
}  // namespace hongyan::client
