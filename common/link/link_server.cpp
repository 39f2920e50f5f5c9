#include "common/link/link_server.h"

#include <future>
#include <list>
#include <mutex>
#include <utility>

#include "common/config/schema.h"
#include "common/link/handshake.h"
#include "common/log/line_limit.h"
#include "common/log/log.h"
#include "common/net/acceptor.h"
#include "common/net/deadline.h"
#include "common/net/listen.h"

namespace hongyan::link {

namespace {
constexpr double kLinesPerSecond = 2;  // about strangers
}  // namespace

void bind(config::Schema& schema, const std::string& section, LinkServerOptions& options) {
  schema
      .value(section + ".hello_deadline", options.hello_deadline,
             "How long a gate or logic node may take to prove that it knows cluster.secret.")
      .range(Milliseconds(100), Milliseconds(60'000));
  schema
      .value(section + ".max_unproved", options.max_unproved,
             "Connections that have yet to; for one more the oldest is closed.")
      .range(1, 65'536);
}

// Those that the server made. Shared with what is posted to their loops. Any thread.
class LinkServer::Links {
 public:
  // False: the server has stopped.
  [[nodiscard]] bool keep(const LinkPtr& link) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    std::erase_if(links_, [](const auto& weak) { return weak.expired(); });
    links_.push_back(link);
    return true;
  }
  void close_all() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& weak : links_) {
      if (auto link = weak.lock()) link->close("server stopped");
    }
  }

 private:
  std::mutex mutex_;
  bool stopped_ = false;
  std::vector<std::weak_ptr<Link>> links_;
};

// Shared with the coroutines of the accept loop.
class LinkServer::State : public std::enable_shared_from_this<State> {
 public:
  State(net::EventLoop& accept_loop, std::vector<net::EventLoop*> loops, const Identity& identity,
        LinkHandler& handler, const LinkServerOptions& options)
      : accept_loop_(accept_loop),
        loops_(std::move(loops)),
        identity_(identity),
        handler_(handler),
        options_(options),
        acceptor_(accept_loop.executor(), "link") {}

  [[nodiscard]] Status listen(const std::string& host, std::uint16_t port) {
    if (auto listening = net::listen(acceptor_.socket(), host, port); !listening) return listening;
    port_ = acceptor_.socket().local_endpoint().port();
    return {};
  }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  [[nodiscard]] static net::Awaitable<> accept(std::shared_ptr<State> self) {
    const auto executor = self->accept_loop_.executor();
    while (auto socket = co_await net::Acceptor::accept(self->acceptor_, executor)) {
      self->take(std::move(*socket));
    }
  }

  void close() {
    net::error_code ignored;
    acceptor_.close();
    for (const auto& stranger : strangers_) stranger->socket.close(ignored);
  }
  [[nodiscard]] Links& links() noexcept { return *links_; }

 private:
  struct Stranger {
    net::TcpSocket socket;
    std::list<std::shared_ptr<Stranger>>::iterator place{};
  };
  using StrangerPtr = std::shared_ptr<Stranger>;

  void take(net::TcpSocket socket) {
    net::error_code ignored;
    socket.set_option(net::Tcp::no_delay(true), ignored);
    if (strangers_.size() >= options_.max_unproved) {
      const StrangerPtr oldest = strangers_.front();
      note(Code::kRateLimited, address_of(oldest->socket), "too many that have not proved themselves");
      oldest->socket.close(ignored);
      strangers_.pop_front();
      oldest->place = strangers_.end();
    }
    auto stranger = std::make_shared<Stranger>(Stranger{.socket = std::move(socket)});
    stranger->place = strangers_.insert(strangers_.end(), stranger);
    accept_loop_.spawn("link hello", meet(shared_from_this(), std::move(stranger)));
  }

  [[nodiscard]] static net::Awaitable<> meet(std::shared_ptr<State> self, StrangerPtr stranger) {
    const std::string address = address_of(stranger->socket);
    net::Deadline deadline(self->accept_loop_.executor(), [stranger] {
      net::error_code ignored;
      stranger->socket.close(ignored);
    });
    deadline.arm(self->options_.hello_deadline);
    auto proved = co_await shake_hands(stranger->socket, self->identity_, Side::kServer, 0);
    deadline.disarm();
    if (stranger->place != self->strangers_.end()) self->strangers_.erase(stranger->place);
    if (!proved) {
      self->note(proved.error().code, address, proved.error().message);
      co_return;
    }
    self->hand_over(std::move(stranger->socket), std::move(*proved));
  }

  // The socket changes its loop.
  void hand_over(net::TcpSocket socket, Proved proved) {
    net::EventLoop& loop = *loops_[next_++ % loops_.size()];
    net::error_code ec;
    const auto protocol = socket.local_endpoint(ec).protocol();
    if (ec) return;
    const int descriptor = socket.release(ec);
    if (ec) return;
    auto moved = std::make_shared<net::TcpSocket>(loop.executor());
    moved->assign(protocol, descriptor, ec);
    if (ec) {
      log::error("link", "no loop takes a link reason={}", ec.message());
      return;
    }
    loop.post([links = links_, &loop, &handler = handler_, options = options_.link, moved,
               proved = std::move(proved)]() mutable {
      auto link = std::make_shared<Link>(loop, std::move(*moved), handler, options, std::move(proved));
      if (links->keep(link)) loop.spawn("link", Link::run(std::move(link)));
    });
  }

  void note(Code code, const std::string& address, std::string_view reason) {
    // Who connects and says nothing is a port probe.
    if (code == Code::kUnavailable) {
      log::debug("link", "hello failed peer={} reason={}", address, log::quoted(reason));
      return;
    }
    const auto suppressed = lines_.allow(SteadyClock::now());
    if (!suppressed) return;
    log::warn("link", "hello failed peer={} code={} reason={} suppressed={}", address, code_name(code),
              log::quoted(reason), *suppressed);
  }

  net::EventLoop& accept_loop_;
  const std::vector<net::EventLoop*> loops_;
  const Identity& identity_;
  LinkHandler& handler_;
  const LinkServerOptions options_;
  const std::shared_ptr<Links> links_ = std::make_shared<Links>();

  // Accept loop only, after start.
  net::Acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::size_t next_ = 0;
  std::list<StrangerPtr> strangers_;  // that have not proved themselves yet; the oldest first
  log::LineLimit lines_{kLinesPerSecond};
};

LinkServer::LinkServer(std::vector<net::EventLoop*> loops, const Identity& identity, LinkHandler& handler,
                       const LinkServerOptions& options)
    : state_(std::make_shared<State>(accept_loop_, std::move(loops), identity, handler, options)) {}

Result<std::shared_ptr<LinkServer>> LinkServer::start(std::vector<net::EventLoop*> loops,
                                                      const std::string& host, std::uint16_t port,
                                                      const Identity& identity, LinkHandler& handler,
                                                      const LinkServerOptions& options) {
  std::shared_ptr<LinkServer> server(new LinkServer(std::move(loops), identity, handler, options));
  if (auto listening = server->state_->listen(host, port); !listening)
    return std::unexpected(listening.error());
  server->accept_loop_.spawn("link accept", State::accept(server->state_));
  server->accept_loop_.start();
  return server;
}

// What is left on the accept loop ends with it, before the state that it refers to.
LinkServer::~LinkServer() {
  accept_loop_.stop();
  accept_loop_.join();
}

void LinkServer::stop() {
  auto closed = std::make_shared<std::promise<void>>();
  accept_loop_.post([state = state_, closed] {
    state->close();
    closed->set_value();
  });
  closed->get_future().wait();
  state_->links().close_all();
}

std::uint16_t LinkServer::port() const noexcept { return state_->port(); }

}  // namespace hongyan::link
