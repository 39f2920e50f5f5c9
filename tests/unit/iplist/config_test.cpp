#include "iplist/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/schema.h"

namespace hongyan::iplist {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> load(IplistConfig& config, const std::string& text) {
  config::Schema schema;
  bind(schema, config);
  return schema.load_text(text, "iplist.toml");
}

constexpr const char* kCluster = "[cluster]\nsecret = \"a secret of 16 bytes\"\n";
constexpr const char* kDemo = "[demo]\napp_id = \"demo\"\ntoken_secret = \"another of 16 bytes\"\n";

TEST(IplistConfigTest, DefaultsHaveNeitherPageNorDemo) {
  IplistConfig config;
  EXPECT_THAT(load(config, kCluster), IsEmpty());
  EXPECT_EQ(config.web_root, "");
  EXPECT_EQ(config.demo.token_secret, "");
}

TEST(IplistConfigTest, DemoTokensAreForDevelopmentOnly) {
  IplistConfig config;
  EXPECT_THAT(load(config, std::string(kCluster) + kDemo), ElementsAre(HasSubstr("needs dev = true")));
  EXPECT_THAT(load(config, std::string("dev = true\n") + kCluster + kDemo), IsEmpty());
}

TEST(IplistConfigTest, ADemoSecretIsNoShortOne) {
  IplistConfig config;
  const std::string text = std::string("dev = true\n") + kCluster + "[demo]\ntoken_secret = \"short\"\n";
  EXPECT_THAT(load(config, text), ElementsAre(HasSubstr("demo.token_secret")));
}

}  // namespace
}  // namespace hongyan::iplist
