#include "tools/bench/actors/http_caller.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <cctype>
#include <charconv>

namespace hongyan::bench {

namespace {

constexpr std::size_t kReadBytes = 16 << 10;
constexpr std::size_t kMostHeadBytes = 16 << 10;
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::string_view kLength = "\r\ncontent-length:";

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

}  // namespace

Result<std::optional<HttpResponse>> parse_response(std::string_view bytes) {
  const auto end = bytes.find(kEndOfHead);
  if (end == std::string_view::npos) {
    if (bytes.size() > kMostHeadBytes)
      return fail(Code::kInternal, "an HTTP response has no end of its head");
    return std::nullopt;
  }
  std::string head(bytes.substr(0, end));
  std::ranges::transform(head, head.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  HttpResponse response;
  const auto length_at = head.find(kLength);
  std::size_t length = 0;
  if (!head.starts_with("http/1.1 ") || !read_number(std::string_view(head).substr(9), response.status) ||
      length_at == std::string::npos) {
    return fail(Code::kInternal, "not an HTTP response with a length");
  }
  const auto digits = head.find_first_not_of(' ', length_at + kLength.size());
  if (digits == std::string::npos || !read_number(std::string_view(head).substr(digits), length)) {
    return fail(Code::kInternal, "an HTTP response has no length");
  }
  response.bytes = end + kEndOfHead.size() + length;
  if (bytes.size() < response.bytes) return std::nullopt;
  response.body = bytes.substr(end + kEndOfHead.size(), length);
  return response;
}

net::Awaitable<Status> HttpCaller::connect(http::Url url, std::string api_key) {
  net::error_code ec;
  const auto address = net::asio::ip::make_address(url.host, ec);
  std::uint16_t port = 0;
  if (ec || !read_number(url.port, port))
    co_return fail(Code::kBadRequest, "the API must be at ADDRESS:PORT");
  co_await socket_.async_connect({address, port}, net::await(ec));
  if (ec) co_return fail(Code::kUnavailable, "cannot connect to the API: " + ec.message());
  socket_.set_option(net::Tcp::no_delay(true), ec);
  head_ = fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}:{}\r\nAuthorization: Bearer {}\r\nContent-Type: "
      "application/json\r\nContent-Length: ",
      url.target, url.host, url.port, api_key);
  co_return Status{};
}

void HttpCaller::run(OnResponse on_response, OnLost on_lost) {
  on_response_ = std::move(on_response);
  on_lost_ = std::move(on_lost);
  read();
}

void HttpCaller::close() {
  closed_ = true;
  net::error_code ignored;
  socket_.close(ignored);
}

void HttpCaller::lost(const std::string& why) {
  if (closed_) return;
  close();
  on_lost_(why);
}

void HttpCaller::post(std::string_view body) {
  request_.assign(head_).append(std::to_string(body.size())).append(kEndOfHead).append(body);
  net::asio::async_write(socket_, net::asio::buffer(request_),
                         [self = shared_from_this()](net::error_code ec, std::size_t /*bytes*/) {
                           if (ec) self->lost(ec.message());
                         });
}

void HttpCaller::read() {
  const std::size_t held = input_.size();
  input_.resize(held + kReadBytes);
  socket_.async_read_some(net::asio::buffer(input_.data() + held, kReadBytes),
                          [self = shared_from_this(), held](net::error_code ec, std::size_t bytes) {
                            self->input_.resize(held + bytes);
                            if (ec) return self->lost(ec.message());
                            self->take_response();
                          });
}

void HttpCaller::take_response() {
  const auto response = parse_response(input_);
  if (!response) return lost(response.error().message);
  if (*response) {
    input_.erase(0, (*response)->bytes);
    on_response_((*response)->status, (*response)->body);
  }
  if (!closed_) read();
}

}  // namespace hongyan::bench
