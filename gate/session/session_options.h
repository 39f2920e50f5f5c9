// What one client may do, and how long it may take: a part of [gate].
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::gate {

struct SessionOptions {
  static constexpr Milliseconds kLinger{800};             // how long a client may take to read a last packet
  static constexpr std::size_t kMostDiscarded = 1 << 20;  // of what it goes on sending meanwhile

  std::uint32_t min_client_version = 1;
  std::uint32_t max_client_version = 0xFFFFFFFF;
  std::size_t max_body_bytes = 64 << 10;
  std::size_t max_body_before_login = 4 << 10;
  std::size_t max_output_bytes = 1 << 20;
  std::size_t max_unsent_bytes = 128 << 10;
  std::uint32_t max_in_flight = 64;
  std::size_t max_in_flight_bytes = 1 << 20;
  double requests_per_second = 1000;
  double packets_per_second = 20000;
  std::size_t bytes_per_second = 16 << 20;
  Milliseconds rate_grace{5000};
  double packets_per_second_before_login = 100;
  std::uint32_t max_refused_logins = 3;
  Milliseconds login_deadline{10000};
  Milliseconds heartbeat{270000};
};

// The options outlive the schema.
void bind(config::Schema& schema, SessionOptions& options);

}  // namespace hongyan::gate
