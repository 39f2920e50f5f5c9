// What a client may do, and how long it may take.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"

namespace hongyan::gate {

struct SessionOptions {
  std::uint32_t min_client_version = 1;
  std::uint32_t max_client_version = 0xFFFFFFFF;
  std::size_t max_body_before_login = 4 << 10;
  std::size_t max_body_bytes = 64 << 10;
  std::size_t max_output_bytes = 1 << 20;
  std::uint32_t max_in_flight = 64;  // unanswered requests; past it the session is not read
  std::size_t max_in_flight_bytes = 1 << 20;
  double requests_per_second = 1000;  // what comes faster is read later
  double packets_per_second = 20000;
  std::size_t bytes_per_second = 16 << 20;
  Milliseconds login_deadline{10000};
  Milliseconds heartbeat{270000};  // silent for 1.5 times that: closed
  Milliseconds linger{800};        // how long a client may take to read a last packet
};

}  // namespace hongyan::gate
