#include "common/base/endpoint.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace hongyan {

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return fail(Code::kBadRequest, R"(not an endpoint, write "host:port")");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const auto port = parse_number<std::uint16_t>(digits);
  if (!port) {
    return fail(Code::kBadRequest, "the port must be a number from 0 to 65535");
  }
  if (host.empty()) {
    host = "0.0.0.0";
  } else if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']')
      return fail(Code::kBadRequest, "unclosed bracket in an endpoint");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(Code::kBadRequest, R"(an IPv6 address needs brackets: "[::1]:7000")");
  }
  if (host.find_first_of(" \t\r\n/[]") != std::string_view::npos ||
      host.find('\0') != std::string_view::npos) {
    return fail(Code::kBadRequest, R"(not an endpoint, write "host:port")");
  }
  return Endpoint{std::string(host), *port};
}

std::string format_endpoint(const Endpoint& endpoint) {
  if (!endpoint.set()) return "";
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
            : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

}  // namespace hongyan
