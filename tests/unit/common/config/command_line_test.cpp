#include "common/config/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "common/config/schema.h"
#include "tests/support/temp_folder.h"

namespace hongyan::config {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

struct Run {
  std::optional<int> status;
  std::string out;
  std::string err;
  CommonConfig config;
};

Run run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "hongyan-test");
  Run result;
  Schema schema;
  bind_common(schema, result.config, {"127.0.0.1", 9100});
  CommandLine line("hongyan-test", "A test.");
  CaptureStdout();
  CaptureStderr();
  result.status = line.run(static_cast<int>(arguments.size()), arguments.data(), schema, result.config);
  result.err = GetCapturedStderr();
  result.out = GetCapturedStdout();
  return result;
}

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    good_ = folder_.file("good.toml");
    bad_ = folder_.file("bad.toml");
    std::ofstream(good_) << "[cluster]\nsecret = \"0123456789abcdef\"\n";
    std::ofstream(bad_) << "[cluster]\nsecret = \"0123456789abcdef\"\nx = 1\n[log]\nlevel = \"loud\"\n";
  }

  testing::TempFolder folder_;
  std::string good_;
  std::string bad_;
};

TEST_F(CommandLineTest, GoesOnWithAGoodFile) {
  const auto result = run({"--config", good_.c_str(), "--log-level", "warn"});
  EXPECT_EQ(result.status, std::nullopt);
  EXPECT_EQ(result.config.log.level, "warn");
  EXPECT_EQ(result.config.cluster.secret, "0123456789abcdef");
}

TEST_F(CommandLineTest, ChecksFiles) {
  const auto good = run({"--config", good_.c_str(), "--check-config"});
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.out, "ok\n");
  const auto bad = run({"--config", bad_.c_str(), "--check-config"});
  EXPECT_EQ(bad.status, 1);
  EXPECT_EQ(bad.out, "");
  EXPECT_THAT(bad.err, HasSubstr("bad.toml:3:1: cluster.x: unknown key"));
  EXPECT_THAT(bad.err, HasSubstr("bad.toml:5:9: log.level: \"loud\" is not one of"));
}

TEST_F(CommandLineTest, PrintsTheConfiguration) {
  const auto result = run({"--config", good_.c_str(), "--print-config"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("level = \"info\""));
  EXPECT_THAT(result.out, ::testing::Not(HasSubstr("0123456789abcdef")));
  EXPECT_EQ(run({"--print-config"}).status, 0);
  EXPECT_EQ(run({"--print-config", "--config", bad_.c_str()}).status, 1);
}

TEST_F(CommandLineTest, RefusesBadOptions) {
  EXPECT_EQ(run({"--nonsense"}).status, 1);
  EXPECT_EQ(run({"--log-level", "loud"}).status, 1);
  EXPECT_EQ(run({}).status, 1);  // the secret is required
  EXPECT_EQ(run({"--version"}).status, 0);
}

}  // namespace
}  // namespace hongyan::config
