#include "common/http/server.h"

#include <algorithm>
#include <future>
#include <set>

#include "common/http/connection.h"
#include "common/log/log.h"
#include "common/net/acceptor.h"
#include "common/net/listen.h"
#include "common/net/stream.h"

namespace hongyan::http {

namespace {
constexpr std::size_t kMaxRefusals = 64;  // connections being told 503; further ones are closed unanswered
}  // namespace

// Shared with the coroutines. Everything but start on the loop.
class Server::State : public std::enable_shared_from_this<Server::State> {
 public:
  State(net::EventLoop& loop, Router router, Limits limits)
      : loop_(loop),
        router_(std::make_shared<const Router>(std::move(router))),
        limits_(limits),
        crowd_(
            {.total = limits.max_connections, .by_address = limits.max_per_address, .exempt = limits.exempt}),
        acceptor_(loop.executor(), "http"),
        drain_(loop.executor(), [this] { close_all(); }) {}

  [[nodiscard]] Status listen(const std::string& host, std::uint16_t port) {
    if (auto listening = net::listen(acceptor_.socket(), host, port); !listening) return listening;
    port_ = acceptor_.socket().local_endpoint().port();
    return {};
  }

  [[nodiscard]] static net::Awaitable<> accept(std::shared_ptr<State> self) {
    const auto executor = self->loop_.executor();
    while (auto socket = co_await net::Acceptor::accept(self->acceptor_, executor)) {
      self->take(std::move(*socket));
    }
  }

  void take(net::TcpSocket socket) {
    net::Stream stream = tls_ ? net::Stream(std::move(socket), *tls_) : net::Stream(std::move(socket));
    auto connection = std::make_shared<Connection>(std::move(stream), router_, limits_, crowd_);
    const bool full = !connection->enter();
    // To tell it by TLS would cost a handshake.
    if (full && (tls_ || refusals_ >= kMaxRefusals)) return;
    connections_.insert(connection);
    if (full) ++refusals_;
    loop_.spawn("http", serve(shared_from_this(), std::move(connection), full));
  }

  [[nodiscard]] static net::Awaitable<> serve(std::shared_ptr<State> self,
                                              std::shared_ptr<Connection> connection, bool full) {
    try {
      if (full) {
        co_await Connection::refuse(connection);
      } else {
        co_await Connection::run(connection);
      }
    } catch (const std::exception& e) {
      log::error("http", "a connection failed what={}", log::quoted(e.what()));
    }
    self->connections_.erase(connection);
    if (full) --self->refusals_;
    self->end_when_empty();
  }

  void stop(Milliseconds drain, std::function<void()> done) {
    if (done) done_.push_back(std::move(done));
    if (!stopping_) {
      stopping_ = true;
      acceptor_.close();
      for (const auto& connection : connections_) connection->finish();
      drain_.arm(drain);
    }
    end_when_empty();
  }

  void set_tls(std::shared_ptr<const net::TlsContext> tls) { tls_ = std::move(tls); }

  net::EventLoop& loop() noexcept { return loop_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  // The drain deadline has passed.
  void close_all() {
    for (const auto& connection : connections_) connection->close();
    drained_ = true;
    drain_.disarm();
    call_done();
  }
  void end_when_empty() {
    if (!stopping_ || !(drained_ || connections_.empty())) return;
    drain_.disarm();
    call_done();
  }
  // Behind the handlers that closing and disarming left in the loop's queue.
  void call_done() {
    for (auto& done : std::exchange(done_, {})) loop_.post(std::move(done));
  }

  net::EventLoop& loop_;
  const std::shared_ptr<const Router> router_;
  std::shared_ptr<const net::TlsContext> tls_;  // of connections from now on; null: plain HTTP
  const Limits limits_;
  Crowd crowd_;  // outlives the connections
  net::Acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::set<std::shared_ptr<Connection>> connections_;
  std::size_t refusals_ = 0;  // those of connections_ that only hear 503
  net::Deadline drain_;
  bool stopping_ = false;
  bool drained_ = false;  // the drain deadline has passed
  std::vector<std::function<void()>> done_;
};

Result<std::unique_ptr<Server>> Server::start(net::EventLoop& loop, const std::string& host,
                                              std::uint16_t port, Router router, Limits limits,
                                              std::shared_ptr<const net::TlsContext> tls) {
  auto state = std::make_shared<State>(loop, std::move(router), limits);
  state->set_tls(std::move(tls));
  if (auto listening = state->listen(host, port); !listening) return std::unexpected(listening.error());
  loop.spawn("http accept", State::accept(state));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() = default;

std::uint16_t Server::local_port() const noexcept { return state_->port(); }

void Server::set_tls(std::shared_ptr<const net::TlsContext> tls) {
  state_->loop().post([state = state_, tls = std::move(tls)]() mutable { state->set_tls(std::move(tls)); });
}

void Server::stop(Milliseconds drain, std::function<void()> done) {
  state_->loop().post([state = state_, drain, done = std::move(done)] { state->stop(drain, done); });
}

void Server::stop_and_wait(Milliseconds drain) {
  auto ended = std::make_shared<std::promise<void>>();
  auto future = ended->get_future();
  stop(drain, [ended] { ended->set_value(); });
  future.wait();
}

}  // namespace hongyan::http
