// HTTP requests from a coroutine: for the client library and for tests.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/base/endpoint.h"
#include "common/base/result.h"
#include "common/http/message.h"
#include "common/net/asio.h"

namespace hongyan::http {

struct ClientRequest {
  Method method = Method::kGet;
  std::string url;  // "http://host:port/path?query"; https is not supported
  Fields headers;
  std::string body;
  Milliseconds timeout{5000};  // for the whole of it
  std::size_t max_response_bytes = 4 << 20;
};

struct ClientResponse {
  int status = 0;
  Fields headers;
  std::string body;

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
};

// One connection, one request. Every status is a response; errors are kBadRequest (the url), kUnavailable (no
// connection, nothing was sent) and kDeadlineExceeded (timeout or a broken connection: the outcome is
// unknown).
[[nodiscard]] net::Awaitable<Result<ClientResponse>> send(ClientRequest request);

[[nodiscard]] net::Awaitable<Result<ClientResponse>> get(std::string url,
                                                         Milliseconds timeout = Milliseconds(5000));
// The body is JSON unless headers say otherwise.
[[nodiscard]] net::Awaitable<Result<ClientResponse>> post(std::string url, std::string body,
                                                          Fields headers = {},
                                                          Milliseconds timeout = Milliseconds(5000));

struct Url {
  Endpoint endpoint;
  std::string target = "/";
};
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace hongyan::http
