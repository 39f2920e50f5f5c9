#include "common/net/loop_pulse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "common/net/event_loop.h"

namespace hongyan::net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Returns once the loop has run all that was posted to it.
void catch_up(EventLoop& loop) {
  std::promise<void> ran;
  loop.post([&ran] { ran.set_value(); });
  ran.get_future().wait();
}

TEST(LoopPulseTest, ALoopThatRunsAnswers) {
  EventLoop loop("runs");
  loop.start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(LoopPulse::silent(), IsEmpty());
    catch_up(loop);
  }
}

TEST(LoopPulseTest, ALoopThatStandsStillIsNamedUntilItGoesOn) {
  EventLoop still("still");
  EventLoop runs("runs");
  std::latch go_on(1);
  std::promise<void> stands;
  still.post([&] {
    stands.set_value();
    go_on.wait();
  });
  still.start();
  runs.start();
  stands.get_future().wait();
  EXPECT_THAT(LoopPulse::silent(), IsEmpty());  // asked for the first time
  catch_up(runs);
  EXPECT_THAT(LoopPulse::silent(), ElementsAre("still"));
  catch_up(runs);
  EXPECT_THAT(LoopPulse::silent(), ElementsAre("still"));
  catch_up(runs);
  go_on.count_down();
  catch_up(still);
  EXPECT_THAT(LoopPulse::silent(), IsEmpty());
}

TEST(LoopPulseTest, ALoopThatDoesNotRunIsNotAsked) {
  EventLoop early("early");
  EXPECT_THAT(LoopPulse::silent(), IsEmpty());
  EXPECT_THAT(LoopPulse::silent(), IsEmpty());
  {
    EventLoop stopped("stopped");
    stopped.start();
    stopped.stop();
    EXPECT_THAT(LoopPulse::silent(), IsEmpty());
    EXPECT_THAT(LoopPulse::silent(), IsEmpty());
  }
  EXPECT_THAT(LoopPulse::silent(), IsEmpty());
}

TEST(LoopPulseTest, AQuestionMayOutliveItsLoop) {
  {
    std::promise<void> begun;
    std::latch go_on(1);
    EventLoop gone("gone");
    gone.post([&] {
      begun.set_value();
      go_on.wait();
    });
    gone.start();
    begun.get_future().wait();
    static_cast<void>(LoopPulse::silent());  // the question waits behind what blocks
    gone.stop();
    go_on.count_down();
  }
  EXPECT_THAT(LoopPulse::silent(), IsEmpty());
}

}  // namespace
}  // namespace hongyan::net
