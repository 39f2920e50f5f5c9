// The gate's configuration: what is told to no single part of it, and the options of those that have some.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/endpoint.h"
#include "common/config/common_config.h"
#include "gate/forward/forwarder_options.h"
#include "gate/session/admission_options.h"
#include "gate/session/session_options.h"
#include "gate/transport/transport.h"
#include "gate/transport/ws_options.h"

namespace hongyan::gate {

struct GateConfig {
  config::CommonConfig common;

  // [gate]
  std::string name;
  std::uint32_t workers = 2;
  std::uint32_t max_connections = 100000;
  std::uint32_t max_connections_per_address = 20000;
  SessionOptions session;
  ForwarderOptions forwarder;
  Milliseconds drain_spread{10000};
  Milliseconds drain_deadline{3000};

  // [listen]
  Endpoint tcp{.host = "127.0.0.1", .port = 7000};
  Endpoint ws{.host = "127.0.0.1", .port = 7001};
  Endpoint tls;
  Endpoint wss;
  std::string advertise;  // empty: the host that is listened on

  // [tls]
  std::string certificate_file;
  std::string key_file;

  // [admission]
  AdmissionOptions admission;

  // [websocket]
  WsOptions websocket;

  // Where clients of this kind connect; not set: nowhere.
  [[nodiscard]] const Endpoint& listen(TransportKind kind) const noexcept;
  [[nodiscard]] bool uses_tls() const noexcept { return tls.set() || wss.set(); }
};

void bind(config::Schema& schema, GateConfig& config);

// The clients that a process with so many descriptors has room for, besides its links, listeners and files.
[[nodiscard]] std::uint32_t connections_within(std::size_t descriptors, std::uint32_t workers) noexcept;

}  // namespace hongyan::gate
