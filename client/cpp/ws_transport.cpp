// The one instantiation of Beast's WebSocket, over a stream that may or may not be encrypted.
#include <boost/asio/compose.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "client/cpp/stream_transport.h"
#include "common/net/packet.h"

namespace hongyan::client {

namespace {

namespace asio = net::asio;
namespace websocket = boost::beast::websocket;
using Outcome = net::StreamIo::Outcome;

net::error_code error_of(Outcome outcome) {
  if (outcome == Outcome::kClosed) return asio::error::eof;
  return outcome == Outcome::kFailed ? asio::error::connection_reset : net::error_code();
}

// One asynchronous read or write of a net::Stream. Never completes within the call that starts it.
template <typename Attempt>
struct StreamOp {
  net::Stream* stream;
  Attempt attempt;
  bool reading;
  bool try_first;  // before waiting
  enum class State : std::uint8_t { kStarting, kWaited, kPosted } state = State::kStarting;
  net::StreamIo io = {};

  template <typename Self>
  void operator()(Self& self, net::error_code ec = {}) {
    if (state == State::kPosted) return self.complete(error_of(io.outcome), io.bytes);
    if (ec) return self.complete(ec, 0);
    if (state == State::kWaited || try_first)
      io = attempt(*stream);
    else
      io.outcome = Outcome::kBlocked;
    auto& socket = stream->socket();
    if (io.outcome == Outcome::kBlocked) {
      state = State::kWaited;
      const auto direction = reading ? stream->read_wait() : stream->write_wait();
      return socket.async_wait(direction, std::move(self));
    }
    if (state == State::kWaited) return self.complete(error_of(io.outcome), io.bytes);
    state = State::kPosted;
    asio::post(socket.get_executor(), std::move(self));
  }
};

// net::Stream as Beast wants it: refers to the transport's.
class BeastStream {
 public:
  using executor_type = net::Executor;

  explicit BeastStream(net::Stream& stream) : stream_(&stream) {}
  executor_type get_executor() { return stream_->socket().get_executor(); }
  [[nodiscard]] net::Stream& stream() noexcept { return *stream_; }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    asio::mutable_buffer into;
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
      into = *it;
      if (into.size() > 0) break;
    }
    return start([into](net::Stream& stream) { return stream.read_some(into); }, true, stream_->buffered(),
                 token);
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    std::vector<asio::const_buffer> from(asio::buffer_sequence_begin(buffers),
                                         asio::buffer_sequence_end(buffers));
    return start([from = std::move(from)](net::Stream& stream) { return stream.write_some(from); }, false,
                 true, token);
  }

 private:
  template <typename Attempt, typename Token>
  auto start(Attempt attempt, bool reading, bool try_first, Token& token) {
    return asio::async_compose<Token, void(net::error_code, std::size_t)>(
        StreamOp<Attempt>{
            .stream = stream_, .attempt = std::move(attempt), .reading = reading, .try_first = try_first},
        token, stream_->socket());
  }

  net::Stream* stream_;
};

// What Beast does when the closing handshake is over, and on a time-out of its own (there is none).
template <typename Token>
void async_teardown(boost::beast::role_type, BeastStream& beast, Token&& token) {
  beast.stream().finish();
  asio::post(beast.get_executor(),
             [done = std::forward<Token>(token)]() mutable { done(net::error_code()); });
}
void beast_close_socket(BeastStream& beast) { beast.stream().close(); }

class WsTransport final : public StreamTransport {
 public:
  using StreamTransport::StreamTransport;

  net::Awaitable<Result<std::size_t>> read_some(asio::mutable_buffer into) override {
    net::error_code ec;
    std::size_t bytes = 0;
    do {
      bytes = co_await socket_->async_read_some(into, net::await(ec));
    } while (!ec && bytes == 0);
    if (!ec && !socket_->got_binary()) ec = websocket::error::bad_data_frame;
    if (ec == websocket::error::closed) co_return fail(Code::kUnavailable, closed());
    if (ec) co_return fail(Code::kUnavailable, "connection lost: " + ec.message());
    co_return bytes;
  }

  net::Awaitable<Status> write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto header = net::read_header(bytes.data());
      const std::size_t size = std::size_t{header.header_length} + header.body_length;
      net::error_code ec;
      co_await socket_->async_write(asio::buffer(bytes.data(), size), net::await(ec));
      if (ec) co_return fail(Code::kUnavailable, "connection lost: " + ec.message());
      bytes.remove_prefix(size);
    }
    co_return Status{};
  }

 private:
  net::Awaitable<Status> greet(Endpoint endpoint) override {
    socket_.emplace(stream());
    socket_->binary(true);
    socket_->auto_fragment(false);
    socket_->read_message_max(kMaxServerBodyBytes + net::kMaxHeaderSize);
    websocket::response_type response;
    net::error_code ec;
    const std::string host = format_endpoint(endpoint);
    co_await socket_->async_handshake(response, host, "/", net::await(ec));
    if (ec == websocket::error::upgrade_declined) {
      co_return fail(Code::kUnavailable, "HTTP status " + std::to_string(response.result_int()));
    }
    if (ec) co_return fail(Code::kUnavailable, "WebSocket handshake: " + ec.message());
    co_return Status{};
  }

  [[nodiscard]] std::string closed() const {
    const auto& reason = socket_->reason();
    return "connection lost: closed by the server with WebSocket status " + std::to_string(reason.code);
  }

  std::optional<websocket::stream<BeastStream>> socket_;
};

}  // namespace

std::unique_ptr<Transport> make_ws_transport(net::Executor executor, std::shared_ptr<TlsTrust> tls) {
  return std::make_unique<WsTransport>(executor, std::move(tls));
}

}  // namespace hongyan::client
