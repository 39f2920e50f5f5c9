// HTTP requests and responses as handlers see them. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace hongyan::http {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOther };
[[nodiscard]] std::string_view to_string(Method method) noexcept;
[[nodiscard]] Method parse_method(std::string_view text) noexcept;

// Names and values in the order received; lookups of headers ignore case.
using Fields = std::vector<std::pair<std::string, std::string>>;

// Names of headers, and what they say that is a token: letters of ASCII in either case are one.
[[nodiscard]] bool same_name(std::string_view a, std::string_view b) noexcept;

struct Request {
  Method method = Method::kGet;
  std::string target;  // as received
  std::string path;    // percent-encoded, as received, without the query
  Fields params;       // what {name} in the route stood for, decoded
  Fields query;        // decoded
  Fields headers;
  std::string body;
  std::string peer;  // address of the client, without the port

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const noexcept;
  // Of the route's own pattern; "" when it has no such name.
  [[nodiscard]] std::string_view param(std::string_view name) const noexcept;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  Fields headers = {};  // besides Content-Type, Content-Length, Connection
};

// {"error":{"code":"NOT_FOUND","message":"…"}} with the fitting status; when the error has one,
// retry_after_ms beside them and Retry-After in seconds.
[[nodiscard]] Response error_response(const Error& error);
[[nodiscard]] Response error_response(int status, std::string_view code, std::string_view message);
[[nodiscard]] int status_of(Code code) noexcept;
[[nodiscard]] std::string_view reason_of(int status) noexcept;

// "a%20b" to "a b"; nothing when an escape is broken. plus_is_space: in queries.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// All but letters, digits and -._~ is escaped.
[[nodiscard]] std::string percent_encode(std::string_view text);
// "a=1&b=x%20y"; nothing when an escape is broken.
[[nodiscard]] std::optional<Fields> parse_query(std::string_view text);

}  // namespace hongyan::http
