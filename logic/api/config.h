// [api] of logic's configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/endpoint.h"
#include "common/daemon/certificate.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

struct ApiConfig {
  Endpoint listen{.host = "127.0.0.1", .port = 7180};  // not set: no server API
  daemon::CertificateFiles certificate;                // not set: plain HTTP
  std::size_t max_body_bytes = 1 << 20;
  std::uint32_t max_connections = 1024;
  std::uint32_t max_connections_per_address = 256;
  std::vector<std::string> exempt;           // networks
  std::size_t max_content_bytes = 63 << 10;  // of one message; a push must fit into a gate's max_body_bytes
  std::uint32_t max_targets = 1000;          // users in one call
  double calls_per_second = 1000;            // of one key, with bursts of a second's worth; 0: no limit
};

// The configuration outlives the schema.
void bind(config::Schema& schema, ApiConfig& config);

}  // namespace hongyan::logic
