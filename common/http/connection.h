// One connection of http::Server. Internal to common/http.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "common/http/crowd.h"
#include "common/http/server.h"
#include "common/net/deadline.h"
#include "common/net/stream.h"

namespace hongyan::http {

// Everything on the server's loop. Owned by its coroutine run(); the server's state knows it to close it.
class Server::Connection : public std::enable_shared_from_this<Server::Connection> {
 public:
  // limits and crowd outlive it.
  Connection(net::Stream stream, std::shared_ptr<const Router> router, const Limits& limits, Crowd& crowd);
  ~Connection() { crowd_.leave(seat_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // False: the server has no room for it.
  [[nodiscard]] bool enter() { return crowd_.enter(seat_, address_); }

  // Serves requests until the end of the connection.
  [[nodiscard]] static net::Awaitable<> run(std::shared_ptr<Connection> self);
  // Answers 503 and closes, reading nothing: the server is full.
  [[nodiscard]] static net::Awaitable<> refuse(std::shared_ptr<Connection> self);

  // Closes now when idle, else after the response.
  void finish();
  void close();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  struct Refusal {
    Response response;
    bool closes = false;  // where the request ends is not known
  };

  // False: the connection cannot go on (an answer, if any, has been written).
  [[nodiscard]] static net::Awaitable<bool> read_head(std::shared_ptr<Connection> self);
  [[nodiscard]] static net::Awaitable<bool> serve_request(std::shared_ptr<Connection> self);
  [[nodiscard]] static net::Awaitable<bool> wait_for_request(std::shared_ptr<Connection> self);
  // Of the socket, after waiting for it: no client keeps the loop for itself. 0 with an error.
  [[nodiscard]] static net::Awaitable<std::size_t> read_some(std::shared_ptr<Connection> self,
                                                             net::asio::mutable_buffer into,
                                                             net::error_code& ec);
  // Gives the parser what has come, or the next that comes.
  [[nodiscard]] static net::Awaitable<net::error_code> parse_more(std::shared_ptr<Connection> self);
  [[nodiscard]] static net::Awaitable<net::error_code> read_header(std::shared_ptr<Connection> self);
  [[nodiscard]] static net::Awaitable<net::error_code> read_body(std::shared_ptr<Connection> self);
  [[nodiscard]] static net::Awaitable<> answer_failure(std::shared_ptr<Connection> self,
                                                       net::error_code failure);
  [[nodiscard]] static net::Awaitable<Response> handle(const Handler& handler, Request request);
  [[nodiscard]] static net::Awaitable<bool> refuse_request(std::shared_ptr<Connection> self, Refusal refusal,
                                                           bool without_body);
  using Buffers = std::array<net::asio::const_buffer, 2>;
  [[nodiscard]] static net::Awaitable<net::error_code> write_all(std::shared_ptr<Connection> self,
                                                                 Buffers buffers);
  [[nodiscard]] static net::Awaitable<bool> write(std::shared_ptr<Connection> self, Response response,
                                                  bool without_body);
  [[nodiscard]] static net::Awaitable<> write_and_linger(std::shared_ptr<Connection> self, Response response);
  // Of the header, all but the body.
  [[nodiscard]] Result<Request> make_request() const;
  // Who answers it, or what it is told before its body is read.
  [[nodiscard]] std::expected<const Handler*, Refusal> find_handler(Request& request) const;
  void set_busy(bool busy);

  const std::shared_ptr<const Router> router_;
  const Limits& limits_;

  net::Stream stream_;
  const net::asio::ip::address address_;
  Crowd& crowd_;
  Crowd::Seat seat_;
  net::Deadline deadline_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  bool first_ = true;  // no request yet
  bool busy_ = false;  // from the first byte of a request to the last of its response
  bool keep_ = true;   // another request may follow
};

}  // namespace hongyan::http
