// The sections that every daemon has: [log], [audit], [cluster], [metrics], and dev.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/endpoint.h"
#include "common/log/audit.h"
#include "common/log/log.h"

namespace hongyan::config {

class Schema;

struct LogConfig {
  std::string level = "info";

  [[nodiscard]] log::Level parsed() const noexcept;
};

struct ClusterConfig {
  std::string secret;                 // proves to the other daemons that this one belongs to them
  std::vector<Endpoint> iplists;      // where heartbeats go
  std::vector<Endpoint> logic_nodes;  // the fixed list, without iplist
};

struct MetricsConfig {
  Endpoint listen;  // unset: no metrics server
};

struct CommonConfig {
  bool dev = false;
  LogConfig log;
  audit::Options audit;
  ClusterConfig cluster;
  MetricsConfig metrics;
};

// Binds all of it. metrics_listen: the daemon's own default, "127.0.0.1:9100" for the gate.
// Secrets that protect nothing are refused at any depth unless dev = true.
void bind_common(Schema& schema, CommonConfig& config, const Endpoint& metrics_listen);

// What is wrong when a daemon would tell iplist an address that nobody can connect to: it listens on all
// addresses
// ("0.0.0.0") and names none; "" when all is well. For Schema::check.
[[nodiscard]] std::string unreachable_advertise(const Endpoint& listen, const std::string& advertise,
                                                const ClusterConfig& cluster);

// "host", "host:port", "[::1]:port", "::1" of an `advertise` key; port 0: not said.
[[nodiscard]] Result<Endpoint> parse_advertised(std::string_view text);

}  // namespace hongyan::config
