#include "common/net/deadline.h"

#include <gtest/gtest.h>

#include "tests/support/run_on.h"

namespace hongyan::net {
namespace {

Awaitable<int> count_expiries(EventLoop* loop) {
  int calls = 0;
  Timer wait(loop->executor());
  Deadline deadline(loop->executor(), [&] {
    if (++calls == 2) wait.cancel();
  });
  deadline.arm(Milliseconds(1));
  wait.expires_after(std::chrono::seconds(10));
  error_code ignored;
  co_await wait.async_wait(await(ignored));
  deadline.disarm();
  co_return deadline.expired() ? calls : -1;
}

Awaitable<int> disarm_in_time(EventLoop* loop) {
  int calls = 0;
  Deadline deadline(loop->executor(), [&] { ++calls; });
  deadline.arm(Milliseconds(5));
  deadline.disarm();
  deadline.arm(std::chrono::seconds(10));
  {
    Deadline short_lived(loop->executor(), [&] { ++calls; });
    short_lived.arm(Milliseconds(1));
  }
  co_await sleep_for(Milliseconds(20));
  co_return deadline.expired() ? -1 : calls;
}

class DeadlineTest : public ::testing::Test {
 protected:
  DeadlineTest() { loop_.start(); }
  EventLoop loop_{"deadline-test"};
};

TEST_F(DeadlineTest, CallsUntilDisarmed) { EXPECT_EQ(test::run_on(loop_, count_expiries(&loop_)), 2); }

TEST_F(DeadlineTest, CallsNothingOnceDisarmedOrDestroyed) {
  EXPECT_EQ(test::run_on(loop_, disarm_in_time(&loop_)), 0);
}

}  // namespace
}  // namespace hongyan::net
