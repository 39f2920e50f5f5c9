#include "client/cpp/types.h"

#include <charconv>

namespace hongyan::client {

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return fail(Code::kBadRequest, "an address has the form host:port");
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  Endpoint endpoint{.host = std::string(host)};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (error != std::errc() || end != digits.data() + digits.size() || endpoint.port == 0) {
    return fail(Code::kBadRequest, "a port is a number from 1 to 65535");
  }
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::kStopped:
      return "stopped";
    case State::kWaiting:
      return "waiting";
    case State::kConnecting:
      return "connecting";
    case State::kOnline:
      return "online";
  }
  return "unknown";
}

}  // namespace hongyan::client
