#include "gate/transport/ws_handshake.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "common/net/asio.h"

namespace hongyan::gate {

namespace {

namespace http = boost::beast::http;

std::string_view view(boost::beast::string_view text) noexcept { return {text.data(), text.size()}; }

WsAnswer refuse(std::string_view status, std::string_view reason, std::string_view more_fields = "") {
  return {.accepted = false,
          .response = fmt::format("HTTP/1.1 {}\r\n{}Connection: close\r\nContent-Type: text/plain\r\n"
                                  "Content-Length: {}\r\n\r\n{}\n",
                                  status, more_fields, reason.size() + 1, reason),
          .reason = reason};
}

// 16 bytes in base64.
bool is_key(std::string_view key) noexcept {
  std::array<unsigned char, 18> bytes;
  return key.size() == 24 && key.ends_with("==") &&
         EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(key.data()), 24) == 18;
}

std::string accept_of(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64;
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(length)};
}

// In any of the lines with that name, which may be several.
bool lists(const http::fields& fields, http::field name, std::string_view wanted) {
  const auto lines = fields.equal_range(name);
  return std::any_of(lines.first, lines.second, [wanted](const auto& line) {
    return http::token_list(line.value()).exists({wanted.data(), wanted.size()});
  });
}

bool is_upgrade(const http::request<http::empty_body>& request) {
  return request.version() >= 11 && request.method() == http::verb::get &&
         lists(request, http::field::connection, "upgrade") &&
         lists(request, http::field::upgrade, "websocket");
}

bool all_digits(std::string_view text) noexcept {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool allowed(std::string_view origin, const std::vector<std::string>& origins) noexcept {
  for (const std::string_view entry : origins) {
    if (entry == "*" || entry == origin) return true;
    if (!entry.ends_with(":*")) continue;
    const auto host = entry.substr(0, entry.size() - 2);
    if (origin == host) return true;
    if (origin.starts_with(host) && origin.substr(host.size()).starts_with(':') &&
        all_digits(origin.substr(host.size() + 1))) {
      return true;
    }
  }
  return false;
}

}  // namespace

WsAnswer answer_upgrade(std::string_view head, const WsOptions& options) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
  parser.eager(true);
  net::error_code ec;
  const std::size_t parsed = parser.put(net::asio::buffer(head), ec);
  if (ec || !parser.is_done() || parsed != head.size())
    return refuse("400 Bad Request", "not a WebSocket request");
  const auto& request = parser.get();
  if (!is_upgrade(request)) {
    if (view(request.target()) == "/healthz") {
      auto answer = refuse("200 OK", "ok");
      answer.probe = true;
      return answer;
    }
    return refuse("426 Upgrade Required", "this port speaks WebSocket", "Upgrade: websocket\r\n");
  }
  if (view(request[http::field::sec_websocket_version]) != "13") {
    return refuse("426 Upgrade Required", "the version of WebSocket is 13", "Sec-WebSocket-Version: 13\r\n");
  }
  if (request.count(http::field::sec_websocket_key) != 1 ||
      !is_key(view(request[http::field::sec_websocket_key]))) {
    return refuse("400 Bad Request", "no good Sec-WebSocket-Key");
  }
  const auto origins = request.equal_range(http::field::origin);
  for (auto it = origins.first; it != origins.second; ++it) {
    if (!allowed(view(it->value()), options.origins)) return refuse("403 Forbidden", "foreign Origin");
  }
  return {.accepted = true,
          .response =
              fmt::format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: {}\r\n\r\n",
                          accept_of(view(request[http::field::sec_websocket_key]))),
          .reason = {}};
}

bool may_be_upgrade(std::string_view beginning) noexcept {
  static constexpr std::string_view kMethod = "GET ";
  return beginning.substr(0, kMethod.size()) == kMethod.substr(0, beginning.size());
}

WsAnswer refuse_large_head() {
  return refuse("431 Request Header Fields Too Large", "the header is too large");
}

}  // namespace hongyan::gate
