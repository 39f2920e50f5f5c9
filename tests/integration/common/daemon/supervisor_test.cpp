#include "common/daemon/supervisor.h"

#include <gtest/gtest.h>

namespace hongyan::daemon {
namespace {

using metrics::Health;
using metrics::HealthState;

TEST(StatusLineTest, NamesWhatIsNotWell) {
  Health health;
  EXPECT_EQ(status_line(health.report()), "ok");
  health.set("redis", HealthState::kOk);
  health.set("kafka", HealthState::kDegraded, "topic im.events is missing");
  health.set("owners", HealthState::kDegraded);
  EXPECT_EQ(status_line(health.report()), "degraded: kafka: topic im.events is missing; owners");
  health.set("mysql_shard_0", HealthState::kFailing, "away");
  EXPECT_EQ(status_line(health.report()),
            "failing: kafka: topic im.events is missing; mysql_shard_0: away; owners");
}

TEST(StatusLineTest, IsOneLine) {
  Health health;
  health.set("redis", HealthState::kDegraded, "first\nWATCHDOG=trigger\r\tlast");
  EXPECT_EQ(status_line(health.report()), "degraded: redis: first WATCHDOG=trigger  last");
}

}  // namespace
}  // namespace hongyan::daemon
