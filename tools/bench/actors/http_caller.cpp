#include "tools/bench/actors/http_caller.h"

#include <fmt/format.h>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

namespace hongyan::bench {

namespace beast_http = boost::beast::http;

struct HttpCaller::Input {
  boost::beast::flat_buffer buffer;
  std::optional<beast_http::response_parser<beast_http::string_body>> parser;
};

HttpCaller::HttpCaller(net::EventLoop& loop) : socket_(loop.executor()), input_(std::make_unique<Input>()) {}

HttpCaller::~HttpCaller() = default;

net::Awaitable<Status> HttpCaller::connect(http::Url url, std::string api_key) {
  net::error_code ec;
  const auto address = net::asio::ip::make_address(url.endpoint.host, ec);
  if (ec) co_return fail(Code::kBadRequest, "the API must be at ADDRESS:PORT");
  co_await socket_.async_connect({address, url.endpoint.port}, net::await(ec));
  if (ec) co_return fail(Code::kUnavailable, "cannot connect to the API: " + ec.message());
  socket_.set_option(net::Tcp::no_delay(true), ec);
  head_ = fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: "
      "application/json\r\nContent-Length: ",
      url.target, format_endpoint(url.endpoint), api_key);
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
  request_.assign(head_).append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  net::asio::async_write(socket_, net::asio::buffer(request_),
                         [self = shared_from_this()](net::error_code ec, std::size_t /*bytes*/) {
                           if (ec) self->lost(ec.message());
                         });
}

void HttpCaller::read() {
  input_->parser.emplace();
  beast_http::async_read(socket_, input_->buffer, *input_->parser,
                         [self = shared_from_this()](net::error_code ec, std::size_t /*bytes*/) {
                           if (ec) return self->lost(ec.message());
                           const auto response = self->input_->parser->release();
                           self->on_response_(static_cast<int>(response.result_int()), response.body());
                           if (!self->closed_) self->read();
                         });
}

}  // namespace hongyan::bench
