#include "gate/transport/ws_options.h"

#include "common/config/schema.h"

namespace hongyan::gate {

std::string check_origin(std::string_view entry) {
  if (entry == "*" || entry == "null") return {};
  const auto scheme = entry.find("://");
  const auto host = scheme == std::string_view::npos ? std::string_view() : entry.substr(scheme + 3);
  if (host.empty() || host.find('/') != std::string_view::npos) {
    return "\"" + std::string(entry) + "\" is no origin: \"https://chat.example.com\" is, without a path";
  }
  return {};
}

void bind(config::Schema& schema, WsOptions& o) {
  schema.section("websocket", "Clients that come by WebSocket.");
  schema.list(
      "websocket.origins", o.origins,
      "Pages of these origins may connect: \"https://chat.example.com\", \"http://127.0.0.1:*\" (any port), "
      "\"*\" (all). Clients without an Origin, which are no pages, always may.");
  schema.check("websocket.origins", [&o] {
    for (const auto& origin : o.origins) {
      if (auto wrong = check_origin(origin); !wrong.empty()) return wrong;
    }
    return std::string();
  });
  schema
      .bytes("websocket.max_header_bytes", o.max_header_bytes,
             "Of the HTTP request that opens a WebSocket; a longer one is answered 431.")
      .range(1 << 10, 64 << 10);
  schema
      .value("websocket.ping_interval", o.ping_interval,
             "How often a client is pinged, so that proxies do not end a silent connection. 0: never.")
      .range(Milliseconds(0), Milliseconds(3'600'000));
}

}  // namespace hongyan::gate
