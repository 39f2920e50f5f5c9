// How much of a gate one address may take: [admission].
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hongyan::config {
class Schema;
}

namespace hongyan::gate {

struct AdmissionOptions {
  // Behind one address there may be a whole company: ten thousand clients that come back at once pass.
  double connections_per_second = 1000;
  std::uint32_t connection_burst = 10000;
  double handshakes_per_second = 500;
  std::uint32_t handshake_burst = 2000;
  std::uint32_t max_handshakes_per_address = 500;
  std::uint32_t max_handshakes = 2000;
  std::uint32_t max_pending_per_address = 5000;
  std::uint32_t max_pending = 20000;
  double refused_logins_per_second = 20;
  std::uint32_t refused_login_burst = 200;
  std::uint32_t ipv4_prefix = 32;
  std::uint32_t ipv6_prefix = 64;
  std::vector<std::string> exempt;
  std::uint32_t max_addresses = 65536;
  std::vector<std::string> proxy_protocol_from;
};

// The options outlive the schema.
void bind(config::Schema& schema, AdmissionOptions& options);

}  // namespace hongyan::gate
