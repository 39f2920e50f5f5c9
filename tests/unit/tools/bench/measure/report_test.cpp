#include "tools/bench/measure/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hongyan::bench {
namespace {

using testing::HasSubstr;

Report report_of_a_run() {
  Report report{.bench = "c2c", .operations = 1000};
  report.parameters = {{"pairs", std::int64_t{5}}, {"seconds", 2.0}};
  report.cost.seconds = 2;
  report.cost.processes = {
      {.name = "gate-1", .pid = 7, .cpu_seconds = 0.01, .memory_before = 1 << 20, .memory_after = 2 << 20},
      {.name = "gate-2", .pid = 8, .cpu_seconds = 0.01, .memory_before = 1 << 20, .memory_after = 3 << 20},
      {.name = "mysql-1", .pid = 9, .cpu_seconds = 0.03, .memory_before = 0, .memory_after = 0}};
  report.cost.own_cpu_seconds = 0.005;
  report.cost.busiest_thread = 0.5;
  Histogram acks;
  for (std::uint64_t ms = 1; ms <= 100; ++ms) acks.record(ms * 1'000'000);
  report.times = {{"ack", acks}, {"delivery", acks}};
  report.results = {{"refused", std::int64_t{3}}};
  report.add_faults({});
  return report;
}

TEST(ReportTest, JsonHasTheKeysThatScriptsReadBy) {
  const auto json = nlohmann::json::parse(to_json(report_of_a_run()));
  EXPECT_EQ(json["bench"], "c2c");
  EXPECT_EQ(json["pairs"], 5);
  EXPECT_DOUBLE_EQ(json["msgs_per_s"], 500);
  EXPECT_DOUBLE_EQ(json["server_us_per_msg"], 50);
  EXPECT_DOUBLE_EQ(json["us_per_msg"]["gate"], 20);
  EXPECT_DOUBLE_EQ(json["us_per_msg"]["mysql"], 30);
  EXPECT_DOUBLE_EQ(json["memory_mib"]["gate"], 5);
  EXPECT_DOUBLE_EQ(json["generator_us_per_msg"], 5);
  EXPECT_FALSE(json["generator"]["was_the_limit"]);
  for (const auto* times : {"ack_ms", "delivery_ms"}) {
    EXPECT_NEAR(json[times]["p50"], 50, 0.5);
    EXPECT_NEAR(json[times]["p99"], 99, 1);
    EXPECT_DOUBLE_EQ(json[times]["max"], 100);
  }
  ASSERT_EQ(json["processes"].size(), 3U);
  EXPECT_EQ(json["processes"][0]["name"], "gate-1");
  EXPECT_DOUBLE_EQ(json["processes"][0]["us_per_msg"], 10);
  EXPECT_EQ(json["refused"], 3);
  for (const auto* fault : {"lost", "unanswered", "duplicates", "changed", "out_of_order", "holes"}) {
    EXPECT_EQ(json[fault], 0) << fault;
  }
  EXPECT_TRUE(json["clean"]);
  EXPECT_TRUE(json["warnings"].empty());
}

TEST(ReportTest, AnyFaultMakesItUnclean) {
  for (const Faults& faults : {Faults{.lost = 1}, Faults{.unanswered = 1}, Faults{.duplicates = 1},
                               Faults{.changed = 1}, Faults{.out_of_order = 1}, Faults{.holes = 1}}) {
    Report report{.operations = 1};
    report.add_faults(faults);
    EXPECT_FALSE(report.clean());
    EXPECT_FALSE(nlohmann::json::parse(to_json(report))["clean"]);
  }
  Report nothing_done;
  nothing_done.add_faults({});
  EXPECT_FALSE(nothing_done.clean());
}

TEST(ReportTest, TellsWhenTheGeneratorWasTheLimit) {
  Report report = report_of_a_run();
  EXPECT_THAT(to_table(report), testing::Not(HasSubstr("warning")));
  report.cost.busiest_thread = 0.95;
  EXPECT_THAT(to_table(report), HasSubstr("the generator was the limit"));
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_TRUE(json["generator"]["was_the_limit"]);
  EXPECT_EQ(json["warnings"].size(), 1U);
}

TEST(ReportTest, TheTableTellsWhatWasCounted) {
  Report report = report_of_a_run();
  report.unit = "login";
  const std::string table = to_table(report);
  EXPECT_THAT(table, HasSubstr("1000 logins in 2.0 s: 500 login/s"));
  EXPECT_THAT(table, HasSubstr("gate x2"));
  EXPECT_THAT(table, HasSubstr("out of order 0"));
}

}  // namespace
}  // namespace hongyan::bench
