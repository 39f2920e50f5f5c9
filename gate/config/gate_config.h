// The gate's configuration. Every key's text stands in gate_config.cpp, its default here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/config/common_config.h"
#include "gate/transport/transport.h"

namespace hongyan::gate {

struct GateConfig {
  config::CommonConfig common;

  // [gate]
  std::string name;
  std::uint32_t workers = 2;
  std::uint32_t max_connections = 100000;
  std::uint32_t max_connections_per_address = 20000;
  Milliseconds login_deadline{10000};
  Milliseconds heartbeat{270000};
  Milliseconds request_deadline{3000};
  Milliseconds alive_report{30000};
  std::size_t max_body_bytes = 64 << 10;
  std::size_t max_output_bytes = 1 << 20;
  std::size_t max_held_bytes = 256 << 20;
  std::uint32_t max_in_flight = 64;
  std::size_t max_in_flight_bytes = 1 << 20;
  double requests_per_second = 1000;
  double packets_per_second = 20000;
  std::size_t bytes_per_second = 16 << 20;
  std::uint32_t min_client_version = 1;
  std::uint32_t max_client_version = 0xFFFFFFFF;
  Milliseconds drain_spread{10000};
  Milliseconds drain_deadline{3000};

  // [listen]
  config::Endpoint tcp{.host = "127.0.0.1", .port = 7000};
  config::Endpoint ws{.host = "127.0.0.1", .port = 7001};
  config::Endpoint tls;
  config::Endpoint wss;
  std::string advertise;  // empty: the host that is listened on

  // [tls]
  std::string certificate_file;
  std::string key_file;

  // [websocket]
  std::vector<std::string> ws_origins;
  std::size_t ws_max_header_bytes = 8 << 10;
  Milliseconds ws_ping_interval{30000};

  // Where clients of this kind connect; not set: nowhere.
  [[nodiscard]] const config::Endpoint& listen(TransportKind kind) const noexcept;
  [[nodiscard]] bool uses_tls() const noexcept { return tls.set() || wss.set(); }
};

void bind(config::Schema& schema, GateConfig& config);

}  // namespace hongyan::gate
