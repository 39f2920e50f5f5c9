#include "logic/app/config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/config/schema.h"

namespace hongyan::logic {
namespace {

constexpr const char* kBase = R"(
dev = true
[logic]
name = "logic-1"
[cluster]
secret = "0123456789abcdef"
[mysql]
user = "hongyan"
)";
constexpr const char* kShards = R"(
[[mysql.shards]]
name = "0"
address = "127.0.0.1:3306"
database = "hongyan_0"
slots = "0-2047"
[[mysql.shards]]
name = "1"
address = "unix:/run/mysql.sock"
database = "hongyan_1"
slots = "2048-4095"
)";
constexpr const char* kApp = R"(
[[apps]]
id = "demo"
token_secret = "a secret of sixteen"
)";

class LogicConfigTest : public ::testing::Test {
 protected:
  LogicConfigTest() { bind(schema_, config_); }
  std::vector<std::string> load(const std::string& text) { return schema_.load_text(text, "logic.toml"); }
  static bool names(const std::vector<std::string>& errors, const std::string& what) {
    return std::ranges::any_of(errors,
                               [&](const auto& error) { return error.find(what) != std::string::npos; });
  }
  LogicConfig config_;
  config::Schema schema_;
};

TEST_F(LogicConfigTest, MakesWholeShards) {
  EXPECT_TRUE(load(std::string(kBase) + kShards + kApp).empty());
  const auto shards = config_.mysql.shard_configs();
  ASSERT_EQ(shards.size(), 2U);
  EXPECT_EQ(shards[0].host, "127.0.0.1");
  EXPECT_EQ(shards[0].port, 3306);
  EXPECT_EQ(shards[0].user, "hongyan");
  EXPECT_EQ(shards[1].socket, "/run/mysql.sock");
  EXPECT_EQ(config_.apps.token_keys().size(), 1U);
}

TEST_F(LogicConfigTest, AppsHaveRulesOfTheirOwn) {
  const std::string other = R"(
[[apps]]
id = "other"
token_secret = "another secret of sixteen"
user_fan_out_per_second = "3MiB"
user_pulls = 4
group_invite = "owner"
)";
  EXPECT_TRUE(load(std::string(kBase) + kShards + kApp + other).empty());
  const RulesOfApps rules = config_.apps.rules();
  EXPECT_EQ(rules.of("other").fan_out.per_second, 3U << 20);
  EXPECT_EQ(rules.of("other").fan_out.burst, 16U << 20);
  EXPECT_EQ(rules.of("other").pulls, 4U);
  EXPECT_EQ(rules.of("other").group_invite, "owner");
  EXPECT_EQ(rules.of("demo").fan_out.per_second, 1U << 20);
  EXPECT_EQ(rules.of("demo").pulls, 2U);
  EXPECT_EQ(rules.of("nobody's").group_invite, "members");
}

TEST_F(LogicConfigTest, WhoMayInviteIsOneOfThree) {
  const auto invite = [](const std::string& who) {
    return std::string(kBase) + kShards + kApp + "group_invite = \"" + who + "\"\n";
  };
  EXPECT_TRUE(load(invite("consent")).empty());
  LogicConfig config;
  config::Schema schema;
  bind(schema, config);
  EXPECT_TRUE(names(schema.load_text(invite("anybody"), "logic.toml"), "group_invite"));
}

TEST_F(LogicConfigTest, AnAdvertisedPortIsANumber) {
  EXPECT_TRUE(load(std::string(kBase) + kShards + kApp + "[link]\nadvertise = \"10.0.0.1:7199\"\n").empty());
  EXPECT_TRUE(names(load(std::string(kBase) + kShards + kApp + "[link]\nadvertise = \"10.0.0.1:x\"\n"),
                    "link.advertise"));
}

TEST_F(LogicConfigTest, WhereItListensAreAddresses) {
  for (const std::string section : {"link", "api", "metrics"}) {
    EXPECT_TRUE(
        names(load(std::string(kBase) + kShards + kApp + "[" + section + "]\nlisten = \"nohost:1\"\n"),
              section + ".listen"))
        << section;
  }
}

TEST_F(LogicConfigTest, EverySlotIsInExactlyOneShard) {
  std::string gap = kShards;
  gap.replace(gap.find("2048-4095"), 9, "2049-4095");
  EXPECT_TRUE(names(load(std::string(kBase) + gap + kApp), "slot 2048 is in no shard"));
  LogicConfig other;
  config::Schema schema;
  bind(schema, other);
  std::string twice = kShards;
  twice.replace(twice.find("2048-4095"), 9, "2047-4095");
  EXPECT_TRUE(
      names(schema.load_text(std::string(kBase) + twice + kApp, "logic.toml"), "slot 2047 is in two shards"));
}

TEST_F(LogicConfigTest, DestinationsOfUploads) {
  const auto errors = load(std::string(kBase) + R"(
[kafka]
brokers = ["kafka-1:9092", "10.0.0.7:9092"]
properties = ["security.protocol=SASL_SSL"]
)" + kShards + kApp + "upload_destinations = [\"orders\", \"feedback\"]\n" +
                           R"(
[[apps]]
id = "other"
token_secret = "a secret of sixteen"
upload_destinations = ["orders"]
)");
  EXPECT_TRUE(errors.empty()) << errors.front();
  EXPECT_EQ(config_.kafka.brokers.size(), 2U);
  EXPECT_EQ(config_.apps.destination_names(), (std::vector<std::string>{"feedback", "orders"}));
  const auto destinations = config_.apps.upload_destinations();
  EXPECT_TRUE(destinations.allowed("demo", "feedback"));
  EXPECT_TRUE(destinations.allowed("other", "orders"));
  EXPECT_FALSE(destinations.allowed("other", "feedback"));
  EXPECT_FALSE(destinations.allowed("nobody", "orders"));
}

TEST_F(LogicConfigTest, PasswordsOfKafkaAreNotPrinted) {
  LogicConfig config;
  config::Schema schema;
  bind(schema, config);
  const auto errors = schema.load_text(std::string(kBase) + R"(
[kafka]
brokers = ["kafka-1:9092"]
properties = ["security.protocol=SASL_SSL", "ssl.key.password=hush", "sasl.oauthbearer.client.secret=hush"]
)" + kShards + kApp,
                                       "logic.toml");
  EXPECT_TRUE(errors.empty()) << errors.front();
  EXPECT_EQ(config.kafka.properties.size(), 3U);
  const std::string printed = schema.print();
  EXPECT_NE(printed.find("security.protocol=SASL_SSL"), std::string::npos);
  EXPECT_EQ(printed.find("hush"), std::string::npos);
  EXPECT_NE(printed.find("# 2 entries are secrets"), std::string::npos);
}

TEST_F(LogicConfigTest, KafkaIsChecked) {
  const auto errors = load(std::string(kBase) + R"(
[kafka]
brokers = ["kafka-1"]
topic_prefix = "im c2s."
properties = ["acks=1"]
)" + kShards + kApp + "upload_destinations = [\"a/b\"]\n");
  EXPECT_TRUE(names(errors, "kafka.brokers: \"kafka-1\" is not host:port"));
  EXPECT_TRUE(names(errors, "kafka.topic_prefix: the name of a topic"));
  EXPECT_TRUE(names(errors, "kafka.properties: acks is not to be set here"));
  EXPECT_TRUE(names(errors, "apps[0].upload_destinations: the name of a topic"));
}

TEST_F(LogicConfigTest, KeysOfTokensAreChecked) {
  const auto errors = load(std::string(kBase) + kShards + kApp + R"(
[[apps.keys]]
kid = "k"
algorithm = "RS256"
key = "not a key"
[[apps]]
id = "keyless"
)");
  EXPECT_TRUE(names(errors, "apps[0].keys[0].key: not a public key in PEM"));
  EXPECT_TRUE(names(errors, "apps[1].id: has neither token_secret nor keys"));
}

}  // namespace
}  // namespace hongyan::logic
