// Routes in a real Redis that is away, refuses, and comes back.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>

#include "logic/redis/routes.h"
#include "tests/support/redis_server.h"

namespace hongyan::testing {
namespace {

using logic::RedisClient;
using logic::RedisRoutes;

constexpr std::chrono::seconds kPatience{20};
constexpr const char* kKey = "route:{app:alice}";

class NoGate : public logic::GatePort {
 public:
  NoGate() : GatePort("gate-1", 7) {}
  [[nodiscard]] bool is_open() const noexcept override { return true; }
  void respond(std::uint32_t, const logic::GateReply&) override {}
  void respond_not_owner(std::uint32_t, Slot, std::uint64_t) override {}
  bool push(Slot, std::uint32_t, std::span<const std::uint64_t>, std::string_view,
            const logic::PushSeqs&) override {
    return true;
  }
  bool kick(std::uint64_t, std::string_view) override { return true; }
};

// One user with one session, whose route is kept as the daemon keeps it: put at login, checked each second.
class RedisTest : public ::testing::Test {
 protected:
  RedisTest() {
    user_.key = {"app", "alice"};
    session_.login_epoch = 5;
    session_.gate = std::make_shared<NoGate>();
  }
  ~RedisTest() override {
    if (!redis_) return;
    stopped_ = true;
    redis_->stop();
    loop_.stop();
    loop_.join();
  }
  RedisTest(const RedisTest&) = delete;
  RedisTest& operator=(const RedisTest&) = delete;

  void start(const std::string& password = {}) {
    redis_ = RedisClient::start(
        loop_, {.address = {.host = "127.0.0.1", .port = server_.port()}, .password = password});
    routes_ = std::make_unique<RedisRoutes>(redis_, std::chrono::minutes(10));
    loop_.spawn("check", check(this));
    loop_.start();
  }
  static net::Awaitable<> check(RedisTest* self) {
    while (!self->stopped_) {
      self->routes_->check("marker", [self] {
        ++self->rewrites_;
        self->routes_->put(self->user_, self->session_);
      });
      co_await net::sleep_for(Milliseconds(1000));
    }
  }
  void log_in() {
    std::promise<void> done;
    loop_.post([&] {
      routes_->put(user_, session_);
      done.set_value();
    });
    done.get_future().wait();
  }
  static bool eventually(const std::function<bool()>& holds, Milliseconds most = kPatience) {
    const auto until = std::chrono::steady_clock::now() + most;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool route_comes(Milliseconds most = Milliseconds(2500)) {
    return eventually([this] { return server_.command({"EXISTS", kKey}) == "1"; }, most);
  }
  bool trouble_becomes(const std::string& words) {
    return eventually([&] { return redis_->trouble() == words; });
  }

  RedisServer server_;
  net::EventLoop loop_{"test"};
  std::shared_ptr<RedisClient> redis_;
  std::unique_ptr<RedisRoutes> routes_;
  logic::User user_;
  logic::Session session_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> rewrites_{0};
};

TEST_F(RedisTest, RoutesComeSoonWhenRedisStartsLater) {
  start();
  EXPECT_EQ(redis_->trouble(), "Redis is away");
  log_in();
  server_.start();
  EXPECT_TRUE(route_comes());
  EXPECT_TRUE(trouble_becomes(""));
}

TEST_F(RedisTest, OutOfMemoryIsNamedAndRoutesComeAfterTheRepair) {
  server_.start({"--maxmemory", "1", "--maxmemory-policy", "noeviction"});
  start();
  EXPECT_TRUE(eventually([this] { return redis_->connected(); }));
  log_in();
  EXPECT_TRUE(trouble_becomes("Redis is out of memory and evicts nothing"));
  EXPECT_GT(redis_->errors(), 0U);
  server_.command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(route_comes());
  EXPECT_TRUE(trouble_becomes(""));
}

TEST_F(RedisTest, AReplicaIsNamedAndRoutesComeWhenItIsPromoted) {
  server_.start({"--replicaof", "127.0.0.1 1"});
  start();
  EXPECT_TRUE(eventually([this] { return redis_->connected(); }));
  log_in();
  EXPECT_TRUE(trouble_becomes("Redis is a read-only replica"));
  server_.command({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(route_comes());
  EXPECT_TRUE(trouble_becomes(""));
}

TEST_F(RedisTest, AMissingPasswordIsNamed) {
  server_.start({"--requirepass", "secret"});
  start();
  EXPECT_TRUE(trouble_becomes("Redis asks for a password"));
}

TEST_F(RedisTest, AWrongPasswordIsNotSilent) {
  server_.start({"--requirepass", "secret"});
  start("wrong");
  EXPECT_TRUE(eventually([this] { return redis_->errors() > 1; }));
  EXPECT_NE(redis_->trouble(), "");
}

TEST_F(RedisTest, FailingSavesAreNamed) {
  server_.start();
  start();
  EXPECT_TRUE(trouble_becomes(""));
  server_.command({"CONFIG", "SET", "save", "3600 1"});
  // The folder is gone, so a save fails, and writes are refused from then on.
  server_.command({"SET", "k", "v"});
  server_.lose_folder();
  server_.command({"BGSAVE"});
  EXPECT_TRUE(trouble_becomes("Redis cannot save its data and takes no writes"));
  server_.command({"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"});
  log_in();
  EXPECT_TRUE(route_comes());
  EXPECT_TRUE(trouble_becomes(""));
}

TEST_F(RedisTest, AUserWithoutARightIsNamedAndRewritingBecomesRare) {
  server_.start();
  server_.command({"ACL", "SETUSER", "default", "-eval"});
  start();
  EXPECT_TRUE(eventually([this] { return redis_->connected(); }));
  log_in();
  EXPECT_TRUE(trouble_becomes("Redis does not permit the commands to this user"));
  server_.command({"ACL", "SETUSER", "default", "+eval"});
  EXPECT_TRUE(route_comes(std::chrono::seconds(10)));
  EXPECT_TRUE(trouble_becomes(""));
  EXPECT_LT(rewrites_, 5);
}

TEST_F(RedisTest, RoutesComeAgainAfterItWasEmptied) {
  server_.start();
  start();
  log_in();
  EXPECT_TRUE(route_comes());
  EXPECT_TRUE(eventually([this] { return server_.command({"EXISTS", "marker"}) == "1"; }));
  server_.command({"FLUSHALL"});
  EXPECT_TRUE(route_comes());
}

}  // namespace
}  // namespace hongyan::testing
