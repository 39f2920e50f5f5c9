// [redis] of logic's configuration.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/clock.h"
#include "common/base/endpoint.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

struct RedisConfig {
  Endpoint address{.host = "127.0.0.1", .port = 6379};
  std::string password;
  Milliseconds command_timeout{2000};   // then the connection is closed and made again
  std::size_t max_in_flight = 100'000;  // past it commands fail at once
};

// The configuration outlives the schema.
void bind(config::Schema& schema, RedisConfig& config);

}  // namespace hongyan::logic
