#include "common/http/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/error.hpp>

#include "common/http/framing.h"
#include "common/log/log.h"

namespace hongyan::http {

namespace {

namespace beast_http = boost::beast::http;

constexpr Milliseconds kLinger{1000};
constexpr std::size_t kLingerBytes = 4 << 20;
constexpr std::size_t kReadAhead = 64 << 10;
constexpr std::size_t kReadBytes = 16 << 10;

net::asio::ip::address address_of(net::TcpSocket& socket) {
  net::error_code ec;
  const auto endpoint = socket.remote_endpoint(ec);
  return ec ? net::asio::ip::address() : endpoint.address();
}

bool is_token(std::string_view text) noexcept { return text.find_first_of("\r\n") == std::string_view::npos; }

// The answer to what could not be parsed; nothing when the client is gone.
std::optional<Response> refusal_of(net::error_code failure) {
  if (failure == beast_http::error::header_limit || failure == beast_http::error::buffer_overflow) {
    return error_response(431, "TOO_LARGE", "the header is too large");
  }
  if (failure == beast_http::error::body_limit)
    return error_response(413, "TOO_LARGE", "the body is too large");
  if (failure == net::asio::error::timed_out) {
    return error_response(408, "DEADLINE_EXCEEDED", "the request came too slowly");
  }
  if (failure == beast_http::error::end_of_stream || failure == beast_http::error::partial_message)
    return std::nullopt;
  if (failure.category() != make_error_code(beast_http::error::bad_method).category()) return std::nullopt;
  return error_response(400, "BAD_REQUEST", "not an HTTP request: " + failure.message());
}

std::string head_of(const Response& response, bool keep) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_of(response.status));
  for (const auto& [name, value] : response.headers) {
    if (is_token(name) && is_token(value)) head += fmt::format("{}: {}\r\n", name, value);
  }
  if (response.status != 204 && response.status != 304) {
    head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                        response.body.size());
  }
  head += keep ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace

Server::Connection::Connection(net::Stream stream, std::shared_ptr<const Router> router, const Limits& limits,
                               Crowd& crowd)
    : router_(std::move(router)),
      limits_(limits),
      stream_(std::move(stream)),
      address_(address_of(stream_.socket())),
      crowd_(crowd),
      seat_([this] { close(); }),
      deadline_(stream_.socket().get_executor(),
                [this] {
                  net::error_code ignored;
                  stream_.socket().cancel(ignored);
                }),
      buffer_(limits.max_header_bytes + kReadAhead) {
  net::error_code ignored;
  stream_.socket().set_option(net::Tcp::no_delay(true), ignored);
}

void Server::Connection::finish() {
  keep_ = false;
  if (!busy_) close();
}

void Server::Connection::close() { stream_.close(); }

void Server::Connection::set_busy(bool busy) {
  busy_ = busy;
  crowd_.set_idle(seat_, !busy);
}

net::Awaitable<> Server::Connection::run(std::shared_ptr<Connection> self) {
  while (self->keep_) {
    const bool come = co_await read_head(self);
    if (!come) break;
    const bool answered = co_await serve_request(self);
    if (!answered) break;
    self->set_busy(false);
  }
  self->close();
}

// False: the connection is at its end.
net::Awaitable<bool> Server::Connection::serve_request(std::shared_ptr<Connection> self) {
  self->keep_ = self->keep_ && self->parser_->get().keep_alive();
  auto request = self->make_request();
  if (!request) {
    Refusal refusal{.response = error_response(request.error()), .closes = true};
    co_return co_await refuse_request(self, std::move(refusal), false);
  }
  const bool without_body = request->method == Method::kHead;
  auto handler = self->find_handler(*request);
  if (!handler) co_return co_await refuse_request(self, std::move(handler.error()), without_body);
  const net::error_code failure = co_await read_body(self);
  if (failure) {
    co_await answer_failure(self, failure);
    co_return false;
  }
  request->body = std::move(self->parser_->get().body());
  Response response = co_await handle(**handler, std::move(*request));
  co_return co_await write(self, std::move(response), without_body);
}

net::Awaitable<> Server::Connection::refuse(std::shared_ptr<Connection> self) {
  Response response = error_response(503, "UNAVAILABLE", "too many connections");
  response.headers.emplace_back("Retry-After", "1");
  co_await write_and_linger(self, std::move(response));
  self->close();
}

net::Awaitable<bool> Server::Connection::read_head(std::shared_ptr<Connection> self) {
  if (!self->first_) {
    const bool more = co_await wait_for_request(self);
    if (!more) co_return false;
  }
  // A first request counts from its whole header on: connections that say nothing hold nobody's place.
  if (!self->first_) self->set_busy(true);
  self->parser_.emplace();
  self->parser_->header_limit(static_cast<std::uint32_t>(self->limits_.max_header_bytes));
  self->parser_->body_limit(self->limits_.max_body_bytes);
  const net::error_code failure = co_await read_header(self);
  self->first_ = false;
  self->set_busy(true);
  if (!failure) co_return true;
  co_await answer_failure(self, failure);
  co_return false;
}

net::Awaitable<std::size_t> Server::Connection::read_some(std::shared_ptr<Connection> self,
                                                          net::asio::mutable_buffer into,
                                                          net::error_code& ec) {
  using Outcome = net::StreamIo::Outcome;
  net::StreamIo io{.outcome = Outcome::kBlocked};
  if (self->stream_.buffered()) io = self->stream_.read_some(into);
  while (io.outcome == Outcome::kBlocked) {
    if (!self->stream_.is_open()) break;
    co_await self->stream_.socket().async_wait(self->stream_.read_wait(), net::await(ec));
    if (ec) co_return 0;
    io = self->stream_.read_some(into);
  }
  if (io.outcome == Outcome::kDone) co_return io.bytes;
  ec = io.outcome == Outcome::kClosed ? net::error_code(net::asio::error::eof)
                                      : net::error_code(net::asio::error::connection_reset);
  co_return 0;
}

net::Awaitable<net::error_code> Server::Connection::parse_more(std::shared_ptr<Connection> self) {
  while (true) {
    net::error_code ec;
    if (self->buffer_.size() > 0) {
      const std::size_t used = self->parser_->put(self->buffer_.data(), ec);
      self->buffer_.consume(used);
      if (ec != beast_http::error::need_more) co_return ec;
      ec = {};
    }
    if (self->deadline_.expired()) co_return net::asio::error::timed_out;
    const std::size_t room = self->buffer_.max_size() - self->buffer_.size();
    if (room == 0) co_return beast_http::error::buffer_overflow;
    const std::size_t size = co_await read_some(self, self->buffer_.prepare(std::min(room, kReadBytes)), ec);
    if (ec == net::asio::error::eof) {
      if (!self->parser_->got_some()) co_return beast_http::error::end_of_stream;
      self->parser_->put_eof(ec);
      co_return ec ? ec : beast_http::error::partial_message;
    }
    if (ec) co_return self->deadline_.expired() ? net::error_code(net::asio::error::timed_out) : ec;
    self->buffer_.commit(size);
  }
}

// Between two requests of a connection. False: nothing came.
net::Awaitable<bool> Server::Connection::wait_for_request(std::shared_ptr<Connection> self) {
  if (self->buffer_.size() > 0) co_return true;
  if (!self->stream_.is_open()) co_return false;
  self->deadline_.arm(self->limits_.idle_timeout);
  net::error_code ec;
  const std::size_t size = co_await read_some(self, self->buffer_.prepare(kReadBytes), ec);
  self->deadline_.disarm();
  if (ec) co_return false;
  self->buffer_.commit(size);
  co_return true;
}

net::Awaitable<net::error_code> Server::Connection::read_header(std::shared_ptr<Connection> self) {
  self->deadline_.arm(self->limits_.header_deadline);
  net::error_code ec;
  while (!ec && !self->parser_->is_header_done()) ec = co_await parse_more(self);
  self->deadline_.disarm();
  co_return ec;
}

net::Awaitable<net::error_code> Server::Connection::read_body(std::shared_ptr<Connection> self) {
  net::error_code ec;
  self->deadline_.arm(self->limits_.body_deadline);
  const auto expect = self->parser_->get()[beast_http::field::expect];
  if (!self->parser_->is_done() && boost::beast::iequals(expect, "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    ec = co_await write_all(self, {net::asio::buffer(kContinue), net::asio::const_buffer()});
  }
  while (!ec && !self->parser_->is_done()) ec = co_await parse_more(self);
  self->deadline_.disarm();
  co_return ec;
}

net::Awaitable<> Server::Connection::answer_failure(std::shared_ptr<Connection> self,
                                                    net::error_code failure) {
  auto response = refusal_of(failure);
  if (response) co_await write_and_linger(self, std::move(*response));
}

Result<Request> Server::Connection::make_request() const {
  const auto& message = parser_->get();
  std::string_view target(message.target().data(), message.target().size());
  Request request;
  request.target = target;
  request.method = parse_method({message.method_string().data(), message.method_string().size()});
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  if (auto framing = check_framing(request.headers, message.version()); !framing) {
    return std::unexpected(framing.error());
  }
  if (target.starts_with("http://")) {  // the form for proxies
    const auto slash = target.find('/', 7);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  if (!target.starts_with('/')) return fail(Code::kBadRequest, "the target is not a path");
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) {
    auto query = parse_query(target.substr(question + 1));
    if (!query) return fail(Code::kBadRequest, "a broken escape in the query");
    request.query = std::move(*query);
  }
  request.peer = address_.to_string();
  return request;
}

std::expected<const Handler*, Server::Connection::Refusal> Server::Connection::find_handler(
    Request& request) const {
  const auto no = [](Response response) { return std::unexpected(Refusal{.response = std::move(response)}); };
  auto outcome = router_->find(request.method, request.path);
  if (std::holds_alternative<Router::NotFound>(outcome)) {
    return no(error_response(404, "NOT_FOUND", "no such path"));
  }
  if (std::holds_alternative<Router::BadPath>(outcome)) {
    return no(error_response(400, "BAD_REQUEST", "a broken escape in the path"));
  }
  if (const auto* refusal = std::get_if<Router::MethodNotAllowed>(&outcome)) {
    Response response = error_response(405, "BAD_REQUEST", "this path takes " + refusal->allow);
    response.headers.emplace_back("Allow", refusal->allow);
    return no(std::move(response));
  }
  auto& match = std::get<Router::Match>(outcome);
  request.params = std::move(match.params);
  if (*match.check) {
    if (auto ok = (*match.check)(request); !ok) return no(error_response(ok.error()));
  }
  return match.handler;
}

// The body that may follow is not read: then the connection ends. False: it does.
net::Awaitable<bool> Server::Connection::refuse_request(std::shared_ptr<Connection> self, Refusal refusal,
                                                        bool without_body) {
  if (!refusal.closes && self->parser_->is_done()) {
    co_return co_await write(self, std::move(refusal.response), without_body);
  }
  co_await write_and_linger(self, std::move(refusal.response));
  co_return false;
}

net::Awaitable<Response> Server::Connection::handle(const Handler& handler, Request request) {
  try {
    co_return co_await handler(std::move(request));
  } catch (const std::exception& e) {
    log::error("http", "a handler failed what={}", log::quoted(e.what()));
  }
  co_return error_response(500, "INTERNAL", "internal error");
}

net::Awaitable<net::error_code> Server::Connection::write_all(std::shared_ptr<Connection> self,
                                                              Buffers buffers) {
  using Outcome = net::StreamIo::Outcome;
  net::error_code ec;
  while (!ec && net::asio::buffer_size(buffers) > 0) {
    const net::StreamIo io = self->stream_.write_some(buffers);
    if (io.outcome == Outcome::kBlocked) {
      co_await self->stream_.socket().async_wait(self->stream_.write_wait(), net::await(ec));
    } else if (io.outcome != Outcome::kDone) {
      ec = net::asio::error::connection_reset;
    } else {
      std::size_t written = io.bytes;
      for (auto& buffer : buffers) {
        const std::size_t of_this = std::min(written, buffer.size());
        buffer += of_this;
        written -= of_this;
      }
    }
  }
  // Others' turn: a client that sends many requests at once has its answers one by one.
  if (!ec) co_await net::asio::post(self->stream_.socket().get_executor(), net::kUseAwaitable);
  co_return ec;
}

net::Awaitable<bool> Server::Connection::write(std::shared_ptr<Connection> self, Response response,
                                               bool without_body) {
  const std::string head = head_of(response, self->keep_);
  const bool empty = without_body || response.status == 204 || response.status == 304;
  self->deadline_.arm(self->limits_.write_deadline);
  const net::error_code ec = co_await write_all(
      self, {net::asio::buffer(head), empty ? net::asio::const_buffer() : net::asio::buffer(response.body)});
  self->deadline_.disarm();
  co_return !ec;
}

// The last answer of a connection whose client may still be sending: closing at once would make the system
// reset the connection, and the client might never see the answer.
net::Awaitable<> Server::Connection::write_and_linger(std::shared_ptr<Connection> self, Response response) {
  self->keep_ = false;
  const bool written = co_await write(self, std::move(response), false);
  if (!written) co_return;
  net::error_code ec;
  self->stream_.finish();
  self->deadline_.arm(kLinger);
  std::array<char, 4096> discarded;
  std::size_t total = 0;
  while (!ec && !self->deadline_.expired() && total < kLingerBytes) {
    total += co_await read_some(self, net::asio::buffer(discarded), ec);
  }
  self->deadline_.disarm();
}

}  // namespace hongyan::http
