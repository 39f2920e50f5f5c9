#include "common/metrics/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http/client.h"
#include "common/log/log.h"
#include "tests/support/run_on.h"

namespace hongyan::metrics {
namespace {

using ::testing::HasSubstr;

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest() {
    loop_.start();
    auto admin = AdminServer::start("127.0.0.1", 0, registry_, health_);
    if (admin) admin_ = std::move(*admin);
  }
  ~AdminServerTest() override { log::set_level(log::Level::kInfo); }

  http::ClientResponse ask(http::Method method, const std::string& path, std::string body = {}) {
    http::ClientRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(admin_->local_port()) + path;
    request.body = std::move(body);
    auto response = test::run_on(loop_, http::send(std::move(request)));
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : http::ClientResponse{};
  }

  net::EventLoop loop_{"test"};
  Registry registry_;
  Health health_;
  std::unique_ptr<AdminServer> admin_;
};

TEST_F(AdminServerTest, ShowsMetrics) {
  registry_.counter("hongyan_test_total", "Tests.", {{"kind", "a"}}).Increment(3);
  registry_.gauge("hongyan_test_bytes", "Bytes.").Set(7);
  registry_.histogram("hongyan_test_seconds", "Times.").Observe(0.003);
  add_process_metrics(registry_, "test", "1.2.3");
  const auto response = ask(http::Method::kGet, "/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body,
              HasSubstr("# TYPE hongyan_test_total counter\nhongyan_test_total{kind=\"a\"} 3\n"));
  EXPECT_THAT(response.body, HasSubstr("hongyan_test_bytes 7\n"));
  EXPECT_THAT(response.body, HasSubstr("hongyan_test_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(response.body, HasSubstr("hongyan_build_info{daemon=\"test\",version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(response.body, HasSubstr("process_resident_memory_bytes "));
}

TEST_F(AdminServerTest, ShowsTheWorstCheck) {
  EXPECT_EQ(ask(http::Method::kGet, "/healthz").body, R"({"status":"ok","checks":{}})");
  health_.set("redis", HealthState::kDegraded, "connection refused");
  health_.set("mysql-0", HealthState::kOk);
  const auto degraded = ask(http::Method::kGet, "/healthz");
  EXPECT_EQ(degraded.status, 200);
  EXPECT_EQ(degraded.body, R"({"status":"degraded","checks":{"mysql-0":{"status":"ok","text":""},)"
                           R"("redis":{"status":"degraded","text":"connection refused"}}})");
  health_.add("lease", [] { return HealthCheck{HealthState::kFailing, "no slots"}; });
  const auto failing = ask(http::Method::kGet, "/healthz");
  EXPECT_EQ(failing.status, 503);
  EXPECT_THAT(failing.body, HasSubstr(R"("status":"failing")"));
  health_.remove("lease");
  EXPECT_EQ(ask(http::Method::kHead, "/healthz").status, 200);
}

TEST_F(AdminServerTest, ChangesTheLogLevel) {
  EXPECT_EQ(ask(http::Method::kGet, "/log-level").body, R"({"level":"info"})");
  EXPECT_EQ(ask(http::Method::kPut, "/log-level", "error\n").body, R"({"level":"error"})");
  EXPECT_EQ(log::level(), log::Level::kError);
  EXPECT_EQ(ask(http::Method::kPut, "/log-level", R"({"level":"warn"})").status, 200);
  EXPECT_EQ(log::level(), log::Level::kWarn);
  EXPECT_EQ(ask(http::Method::kPut, "/log-level", "loud").status, 400);
  EXPECT_EQ(ask(http::Method::kPut, "/log-level", "").status, 400);
  EXPECT_EQ(log::level(), log::Level::kWarn);
}

TEST_F(AdminServerTest, SaysThatItsPortIsInUse) {
  const auto second = AdminServer::start("127.0.0.1", admin_->local_port(), registry_, health_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kUnavailable);
}

TEST(RegistryTest, GivesTheSameMetricForTheSameName) {
  Registry registry;
  Counter& first = registry.counter("hongyan_x_total", "X.", {{"a", "1"}});
  EXPECT_EQ(&registry.counter("hongyan_x_total", "X.", {{"a", "1"}}), &first);
  EXPECT_NE(&registry.counter("hongyan_x_total", "X.", {{"a", "2"}}), &first);
}

TEST(RegistryTest, RefreshesBeforeEachCollection) {
  Registry registry;
  int calls = 0;
  Gauge& gauge = registry.gauge("hongyan_calls", "Calls.");
  registry.before_collect([&] { gauge.Set(++calls); });
  static_cast<void>(registry.text());
  EXPECT_THAT(registry.text(), HasSubstr("hongyan_calls 2\n"));
}

}  // namespace
}  // namespace hongyan::metrics
