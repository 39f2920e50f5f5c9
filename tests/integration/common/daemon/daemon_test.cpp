#include "common/daemon/daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "common/config/schema.h"
#include "tests/support/temp_folder.h"

namespace hongyan::daemon {
namespace {

using ::testing::HasSubstr;

struct Events {
  bool stopped = false;
  bool destroyed = false;
};

class Sample : public Daemon {
 public:
  explicit Sample(Events& events) : events_(events) {}
  ~Sample() override { events_.destroyed = true; }
  void stop() override { events_.stopped = true; }

 private:
  Events& events_;
};

class DaemonTest : public ::testing::Test {
 protected:
  DaemonTest() {
    path_ = folder_.file("daemon.toml");
    std::ofstream(path_) << "[cluster]\nsecret = \"0123456789abcdef\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n";
  }

  // What it wrote to standard error is in err_.
  int run_with(const Start& start) {
    config::CommonConfig common;
    config::Schema schema;
    config::bind_common(schema, common, {});
    const std::array<const char*, 3> arguments = {"hongyan-sample", "--config", path_.c_str()};
    ::testing::internal::CaptureStderr();
    const int status = run({.name = "hongyan-sample", .description = "A sample."}, arguments.size(),
                           arguments.data(), schema, common, start);
    err_ = ::testing::internal::GetCapturedStderr();
    return status;
  }

  testing::TempFolder folder_;
  std::string path_;
  std::string err_;
  Events events_;
};

TEST_F(DaemonTest, StopsAtASignal) {
  for (const int signal : {SIGTERM, SIGINT}) {
    events_ = {};
    EXPECT_EQ(run_with([&](Context&) {
                ::raise(signal);
                return std::make_unique<Sample>(events_);
              }),
              0);
    EXPECT_TRUE(events_.stopped);
    EXPECT_TRUE(events_.destroyed);
    EXPECT_THAT(err_, HasSubstr(signal == SIGTERM ? "reason=SIGTERM" : "reason=SIGINT"));
  }
}

TEST_F(DaemonTest, IgnoresBrokenPipes) {
  EXPECT_EQ(run_with([&](Context& context) {
              ::raise(SIGPIPE);
              context.signals.stop(0, "done");
              return std::make_unique<Sample>(events_);
            }),
            0);
}

TEST_F(DaemonTest, StopsWithTheStatusThatItAsksFor) {
  std::jthread other;
  EXPECT_EQ(run_with([&](Context& context) {
              other = std::jthread([&context] { context.signals.stop(3, "fenced off"); });
              return std::make_unique<Sample>(events_);
            }),
            3);
  EXPECT_TRUE(events_.stopped);
  EXPECT_THAT(err_, HasSubstr("reason=fenced off"));
}

TEST_F(DaemonTest, SaysInOneLineWhyItDoesNotStart) {
  EXPECT_EQ(run_with([](Context&) -> Result<std::unique_ptr<Daemon>> {
              return fail(Code::kUnavailable, "port taken");
            }),
            1);
  EXPECT_EQ(err_, "hongyan-sample: port taken\n");
  EXPECT_EQ(
      run_with([](Context&) -> Result<std::unique_ptr<Daemon>> { throw std::runtime_error("no luck"); }), 1);
  EXPECT_EQ(err_, "hongyan-sample: no luck\n");
}

}  // namespace
}  // namespace hongyan::daemon
