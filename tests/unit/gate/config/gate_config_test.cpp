#include "gate/config/gate_config.h"

#include <gtest/gtest.h>

#include "common/config/schema.h"

namespace hongyan::gate {
namespace {

std::vector<std::string> load(GateConfig& config, const std::string& text) {
  config::Schema schema;
  bind(schema, config);
  return schema.load_text("cluster.secret = \"a secret of 16 bytes\"\n" + text, "gate.toml");
}

TEST(GateConfigTest, DefaultsAreValid) {
  GateConfig config;
  EXPECT_EQ(load(config, "gate.name = \"gate-1\""), std::vector<std::string>{});
  EXPECT_EQ(config.tcp.port, 7000);
  EXPECT_EQ(config.common.metrics.listen.port, 9100);
}

TEST(GateConfigTest, ReadsItsSections) {
  GateConfig config;
  EXPECT_EQ(load(config,
                 "[gate]\nname = \"gate-7\"\nworkers = 4\nmax_body_bytes = \"128KiB\"\nheartbeat = \"60s\"\n"
                 "[listen]\ntcp = \":7001\"\nadvertise = \"gate7.example.com\"\n"),
            std::vector<std::string>{});
  EXPECT_EQ(config.name, "gate-7");
  EXPECT_EQ(config.workers, 4U);
  EXPECT_EQ(config.session.max_body_bytes, 128U << 10);
  EXPECT_EQ(config.session.heartbeat, Milliseconds(60'000));
  EXPECT_EQ(config.tcp.port, 7001);
}

TEST(GateConfigTest, LeavesDescriptorsForWhatIsNoClient) {
  EXPECT_EQ(connections_within(65'536, 2), 65'536U - 256);
  EXPECT_EQ(connections_within(80, 2), 40U);
  EXPECT_EQ(connections_within(1, 1), 1U);
  EXPECT_EQ(connections_within(~std::size_t{0}, 1), 0xFFFFFFFFU);
}

TEST(GateConfigTest, RefusesNetworksThatAreNone) {
  for (const char* line : {"exempt = [\"10.0.0.0/33\"]", "proxy_protocol_from = [\"balancer\"]"}) {
    GateConfig config;
    EXPECT_EQ(load(config, "[gate]\nname = \"gate-1\"\n[admission]\n" + std::string(line) + "\n").size(), 1U)
        << line;
  }
}

// What the start would refuse is refused by --check-config too.
TEST(GateConfigTest, RefusesWhatCannotBeListenedOnOrRead) {
  for (const char* lines :
       {"[listen]\ntcp = \"localhost:7000\"\n", "[metrics]\nlisten = \"localhost:9100\"\n",
        "[listen]\ntls = \":7443\"\n[tls]\ncertificate_file = \"/nowhere/c.pem\"\n"
        "key_file = \"/nowhere/k.pem\"\n"}) {
    GateConfig config;
    EXPECT_EQ(load(config, "[gate]\nname = \"gate-1\"\n" + std::string(lines)).size(), 1U) << lines;
  }
}

TEST(GateConfigTest, OutputQueueHoldsTwoOfTheLargestPackets) {
  GateConfig config;
  EXPECT_EQ(load(config, "[gate]\nname = \"gate-1\"\nmax_body_bytes = \"600KiB\"\n").size(), 1U);
  EXPECT_EQ(
      load(config, "[gate]\nname = \"gate-1\"\nmax_body_bytes = \"600KiB\"\nmax_output_bytes = \"2MiB\"\n")
          .size(),
      0U);
  EXPECT_EQ(
      load(config, "[gate]\nname = \"gate-1\"\nmin_client_version = 5\nmax_client_version = 4\n").size(), 1U);
}

}  // namespace
}  // namespace hongyan::gate
