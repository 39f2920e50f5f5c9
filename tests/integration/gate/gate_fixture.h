// A gate on loopback with one worker, and a fake logic node behind it.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "gate/app/gate.h"
#include "tests/support/fake_logic.h"
#include "tests/support/packet_client.h"

namespace hongyan::gate {

using test::FakeLogic;
using test::LogicPacket;
using test::packet;
using test::PacketClient;

class GateFixture : public testing::Test {
 protected:
  GateFixture() {
    config.common.cluster.secret = test::kClusterSecret;
    config.common.cluster.logic_nodes = {{.host = "127.0.0.1", .port = logic.port()}};
    config.name = "gate-test";
    config.workers = 1;
    config.tcp = {.host = "127.0.0.1", .port = 0};
    config.ws = {.host = "127.0.0.1", .port = 0};
  }
  void TearDown() override {
    if (gate) gate->stop();
  }

  void start() {
    gate = std::make_unique<Gate>(config, registry, health);
    const auto started = gate->start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  // And logic owns every slot.
  void start_serving() {
    logic.own(0, kSlotCount - 1, 1);
    start();
  }
  [[nodiscard]] std::uint16_t port() const { return gate->port(); }
  [[nodiscard]] bool metric_is(const std::string& line) {
    return registry.text().find(line + "\n") != std::string::npos;
  }
  [[nodiscard]] bool refused(const std::string& reason, int count = 1) {
    return metric_is("hongyan_gate_refusals_total{reason=\"" + reason + "\"} " + std::to_string(count));
  }
  // The channel that an AUTH came from.
  [[nodiscard]] LogicPacket take_auth() { return logic.take_request(client::COMMAND_AUTH); }

  FakeLogic logic;
  GateConfig config;
  metrics::Registry registry;
  metrics::Health health;
  std::unique_ptr<Gate> gate;
};

}  // namespace hongyan::gate
