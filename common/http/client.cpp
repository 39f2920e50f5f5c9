#include "common/http/client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <fmt/format.h>

#include "common/net/deadline.h"

namespace hongyan::http {

namespace {

namespace beast_http = boost::beast::http;

std::string head_of(const ClientRequest& request, const Url& url) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
                                 to_string(request.method), url.target, format_endpoint(url.endpoint));
  for (const auto& [name, value] : request.headers) head += fmt::format("{}: {}\r\n", name, value);
  const bool may_have_body = request.method != Method::kGet && request.method != Method::kHead;
  if (may_have_body || !request.body.empty())
    head += fmt::format("Content-Length: {}\r\n", request.body.size());
  return head + "\r\n";
}

// One exchange: what the coroutines share.
struct Exchange {
  Exchange(net::Executor executor, Milliseconds timeout)
      : resolver(executor), socket(executor), deadline(executor, [this] {
          resolver.cancel();
          net::error_code ignored;
          socket.close(ignored);
        }) {
    deadline.arm(timeout);
  }

  [[nodiscard]] Error failure(Code code, const net::error_code& ec) const {
    if (deadline.expired())
      return {.code = Code::kDeadlineExceeded, .message = "timed out", .retry_after_ms = 0};
    return {.code = code, .message = ec.message(), .retry_after_ms = 0};
  }

  net::TcpResolver resolver;
  net::TcpSocket socket;
  net::Deadline deadline;
};

net::Awaitable<Status> connect(std::shared_ptr<Exchange> exchange, Url url) {
  net::error_code ec;
  const auto endpoints = co_await exchange->resolver.async_resolve(
      url.endpoint.host, std::to_string(url.endpoint.port), net::await(ec));
  if (ec) co_return std::unexpected(exchange->failure(Code::kUnavailable, ec));
  for (const auto& entry : endpoints) {
    net::error_code ignored;
    exchange->socket.close(ignored);
    if (exchange->deadline.expired()) break;
    co_await exchange->socket.async_connect(entry.endpoint(), net::await(ec));
    if (!ec) co_return Status{};
  }
  if (!ec) ec = net::asio::error::host_not_found;
  co_return std::unexpected(exchange->failure(Code::kUnavailable, ec));
}

net::Awaitable<Result<ClientResponse>> receive(std::shared_ptr<Exchange> exchange, bool head,
                                               std::size_t limit) {
  boost::beast::flat_buffer buffer;
  beast_http::response_parser<beast_http::string_body> parser;
  parser.body_limit(limit);
  parser.header_limit(64 << 10);
  parser.skip(head);
  net::error_code ec;
  co_await beast_http::async_read(exchange->socket, buffer, parser, net::await(ec));
  if (ec) co_return std::unexpected(exchange->failure(Code::kDeadlineExceeded, ec));
  auto message = parser.release();
  ClientResponse response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  response.body = std::move(message.body());
  co_return response;
}

}  // namespace

std::optional<std::string_view> ClientResponse::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (boost::beast::iequals(key, boost::beast::string_view(name.data(), name.size()))) return value;
  }
  return std::nullopt;
}

Result<Url> parse_url(std::string_view text) {
  static constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return fail(Code::kBadRequest, "not an http:// URL");
  text.remove_prefix(kScheme.size());
  if (text.find_first_of(" \r\n\t") != std::string_view::npos)
    return fail(Code::kBadRequest, "a space in a URL");
  text = text.substr(0, text.find('#'));
  const auto end = std::min(text.find_first_of("/?"), text.size());
  std::string authority(text.substr(0, end));
  const bool has_port =
      authority.find(':', authority.starts_with('[') ? authority.find(']') : 0) != std::string::npos;
  if (!has_port) authority += ":80";
  auto endpoint = parse_endpoint(authority);
  if (!endpoint || authority.front() == ':') return fail(Code::kBadRequest, "no host or a bad port in a URL");
  Url url{.endpoint = std::move(*endpoint)};
  if (end < text.size()) url.target = (text[end] == '?' ? "/" : "") + std::string(text.substr(end));
  return url;
}

net::Awaitable<Result<ClientResponse>> send(ClientRequest request) {
  auto url = parse_url(request.url);
  if (!url) co_return std::unexpected(url.error());
  const net::Executor executor = co_await net::asio::this_coro::executor;
  auto exchange = std::make_shared<Exchange>(executor, request.timeout);
  Status connected = co_await connect(exchange, *url);
  if (!connected) co_return std::unexpected(connected.error());
  const std::string data = head_of(request, *url) + request.body;
  net::error_code ec;
  co_await net::asio::async_write(exchange->socket, net::asio::buffer(data), net::await(ec));
  if (ec && exchange->deadline.expired())
    co_return std::unexpected(exchange->failure(Code::kDeadlineExceeded, ec));
  // A server may refuse a request before it has read it all: look for its answer even after a failed write.
  auto response = co_await receive(exchange, request.method == Method::kHead, request.max_response_bytes);
  exchange->deadline.disarm();
  co_return response;
}

net::Awaitable<Result<ClientResponse>> get(std::string url, Milliseconds timeout) {
  ClientRequest request;
  request.url = std::move(url);
  request.timeout = timeout;
  co_return co_await send(std::move(request));
}

net::Awaitable<Result<ClientResponse>> post(std::string url, std::string body, Fields headers,
                                            Milliseconds timeout) {
  ClientRequest request;
  request.method = Method::kPost;
  request.url = std::move(url);
  request.body = std::move(body);
  request.headers = std::move(headers);
  request.timeout = timeout;
  const bool typed = std::ranges::any_of(
      request.headers, [](const auto& field) { return boost::beast::iequals(field.first, "content-type"); });
  if (!typed) request.headers.emplace_back("Content-Type", "application/json");
  co_return co_await send(std::move(request));
}

}  // namespace hongyan::http
