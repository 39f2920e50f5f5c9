// [websocket] of the gate's configuration.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::gate {

struct WsOptions {
  std::vector<std::string> origins;
  std::size_t max_header_bytes = 8 << 10;
  Milliseconds ping_interval{30000};  // 0: no pings
};

// The options outlive the schema.
void bind(config::Schema& schema, WsOptions& options);

// What is wrong with an entry of `origins`; "" when nothing is.
[[nodiscard]] std::string check_origin(std::string_view entry);

}  // namespace hongyan::gate
