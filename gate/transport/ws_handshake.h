// The HTTP request that opens a WebSocket, and its answer. Without I/O.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"

namespace hongyan::gate {

struct WsOptions {
  // Pages of these origins may connect: "https://chat.example.com", "http://127.0.0.1:*" (any port), "*"
  // (all). Who sends no Origin is no page, and may.
  std::vector<std::string> origins;
  std::size_t max_header_bytes = 8 << 10;
  Milliseconds ping_interval{30000};  // 0: no pings
};

struct WsAnswer {
  bool accepted = false;
  std::string response;     // whole, status line to the empty line (and a text for people)
  std::string_view reason;  // why not
};

// head: the request up to and with its empty line.
[[nodiscard]] WsAnswer answer_upgrade(std::string_view head, const WsOptions& options);
// Whether a request that can be accepted may begin so.
[[nodiscard]] bool may_be_upgrade(std::string_view beginning) noexcept;
// The answer to a request whose head exceeds max_header_bytes.
[[nodiscard]] WsAnswer refuse_large_head();

// What is wrong with an entry of `origins`; "" when nothing is.
[[nodiscard]] std::string check_origin(std::string_view entry);

}  // namespace hongyan::gate
