// The HTTP request that opens a WebSocket, and its answer. Without I/O.
#pragma once

#include <string>
#include <string_view>

#include "gate/transport/ws_options.h"

namespace hongyan::gate {

struct WsAnswer {
  bool accepted = false;
  std::string response;     // whole, status line to the empty line (and a text for people)
  std::string_view reason;  // why not
  bool probe = false;       // a balancer's, which asks whether this port serves: answered 200
};

// head: the request up to and with its empty line.
[[nodiscard]] WsAnswer answer_upgrade(std::string_view head, const WsOptions& options);
// Whether a request that can be accepted may begin so.
[[nodiscard]] bool may_be_upgrade(std::string_view beginning) noexcept;
// The answer to a request whose head exceeds max_header_bytes.
[[nodiscard]] WsAnswer refuse_large_head();

}  // namespace hongyan::gate
