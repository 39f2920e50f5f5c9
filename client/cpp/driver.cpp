#include "client/cpp/driver.h"

#include <exception>

#include "common/base/random.h"
#include "common/log/log.h"

namespace hongyan::client {

namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kMaxUnsentBytes = 32 << 20;

ClientOptions completed(ClientOptions options) {
  if (!options.random) options.random = random_fraction;
  options.token_renewable = static_cast<bool>(options.token_source);
  return options;
}

bool temporary(Code code) {
  return code == Code::kUnavailable || code == Code::kRateLimited || code == Code::kInternal ||
         code == Code::kDeadlineExceeded;
}

}  // namespace

Driver::Driver(ClientOptions options, Handlers handlers, net::EventLoop& loop)
    : loop_(loop),
      options_(completed(std::move(options))),
      handlers_(std::move(handlers)),
      core_(options_, options_.random),
      gates_({.gates = options_.gates,
              .iplist = options_.iplist,
              .app_id = options_.app_id,
              .uid = options_.uid,
              .transport = std::string(to_string(options_.transport_kind))},
             options_.random()),
      timer_(loop.executor()) {}

void Driver::start() {
  if (closed_) return;
  core_.start(SteadyClock::now());
  drain();
}

void Driver::stop(std::move_only_function<void()> done) {
  core_.stop(SteadyClock::now());
  stop_waiters_.push_back(std::move(done));
  drain();
}

void Driver::hurry() {
  core_.hurry(SteadyClock::now());
  drain();
}

void Driver::send(Outgoing what, SendOptions options, SendCallback done) {
  if (options.client_msg_id.empty()) options.client_msg_id = random_id_text();
  const SendId id = ++last_send_;
  sends_.emplace(id, std::move(done));
  core_.send(id, std::move(what), std::move(options), SteadyClock::now());
  drain();
}

void Driver::pull(Milliseconds timeout, StatusCallback done) {
  if (closed_ || core_.state() == State::kStopped)
    return done(fail(Code::kUnavailable, "the client is stopped"));
  const std::uint64_t id = ++last_waiter_;
  auto timer = std::make_unique<net::Timer>(loop_.executor());
  timer->expires_after(timeout);
  timer->async_wait([self = shared_from_this(), id](net::error_code ec) {
    if (ec) return;
    const auto waiter = self->waiters_.extract(id);
    if (waiter) waiter.mapped().done(fail(Code::kDeadlineExceeded, "not everything was pulled in time"));
  });
  waiters_.emplace(id, Waiter{.done = std::move(done), .timer = std::move(timer)});
  core_.pull(SteadyClock::now());
  drain();
}

void Driver::close() {
  if (closed_) return;
  closed_ = true;
  core_.abandon();
  drain();
  timer_.cancel();
}

void Driver::settle_waiters(const Status& status) {
  for (auto& [id, waiter] : std::exchange(waiters_, {})) {
    waiter.timer->cancel();
    waiter.done(status);
  }
}

template <typename F, typename... Args>
void Driver::call(const F& handler, const Args&... args) {
  if (closed_ || !handler) return;
  try {
    handler(args...);
  } catch (const std::exception& e) {
    log::error("client", "a handler threw what={}", log::quoted(e.what()));
  }
}

void Driver::drain() {
  if (draining_) return;
  draining_ = true;
  const auto self = shared_from_this();  // a handler may destroy the Client
  acknowledged_ = core_.acknowledged();
  for (auto outputs = core_.take(); !outputs.empty(); outputs = core_.take()) {
    for (Output& output : outputs) perform(output);
  }
  draining_ = false;
  if (core_.state() == State::kStopped) {
    for (auto& done : std::exchange(stop_waiters_, {})) done();
  }
  if (!closed_) arm();
}

void Driver::perform(Output& output) {
  if (std::holds_alternative<output::Connect>(output)) {
    connection_ = std::make_shared<Connection>();
    connection_->transport = options_.transport(loop_.executor());
    loop_.spawn("client connection", run(shared_from_this(), connection_));
  } else if (std::holds_alternative<output::Close>(output)) {
    if (connection_) {
      connection_->closed = true;
      connection_->transport->close();
      connection_.reset();
    }
  } else if (auto* bytes = std::get_if<output::Write>(&output)) {
    write_later(std::move(bytes->bytes));
  } else if (const auto* change = std::get_if<output::StateChanged>(&output)) {
    if (change->state == State::kStopped) {
      settle_waiters(fail(Code::kUnavailable, "the client is stopped: " + change->reason.message));
    }
    call(handlers_.on_state, change->state, change->reason);
  } else if (const auto* delivery = std::get_if<output::Deliver>(&output)) {
    call(handlers_.on_message, delivery->message);
  } else if (const auto* held = std::get_if<output::HeldMoved>(&output)) {
    call(handlers_.on_held, held->held);
  } else if (const auto* moved = std::get_if<output::GroupHeldMoved>(&output)) {
    call(handlers_.on_group_held, moved->group_id, moved->held);
  } else if (const auto* kicked = std::get_if<output::Kicked>(&output)) {
    call(handlers_.on_kicked, kicked->kick);
  } else if (std::holds_alternative<output::Synced>(output)) {
    call(handlers_.on_synced);
    settle_waiters(Status{});
  } else if (auto* sent = std::get_if<output::SendDone>(&output)) {
    auto waiting = sends_.extract(sent->id);
    if (waiting && waiting.mapped()) waiting.mapped()(std::move(sent->result));
  }
}

void Driver::arm() {
  const SteadyTime wake = core_.next_wake();
  if (wake >= armed_) return;  // it fires early, finds nothing to do, and is armed again
  armed_ = wake;
  timer_.expires_at(wake);
  timer_.async_wait([self = shared_from_this()](net::error_code ec) {
    if (ec || self->closed_) return;
    self->armed_ = SteadyTime::max();
    self->core_.on_time(SteadyClock::now());
    self->drain();
  });
}

void Driver::write_later(std::string bytes) {
  if (!connection_ || connection_->closed) return;
  Connection& connection = *connection_;
  if (connection.unsent.empty()) {
    connection.unsent = std::move(bytes);
  } else {
    connection.unsent += bytes;
  }
  if (connection.unsent.size() > kMaxUnsentBytes) {
    connection.transport->close();  // the server does not read; the reader reports the loss
    return;
  }
  if (connection.writing) return;
  connection.writing = true;
  loop_.spawn("client write", write(shared_from_this(), connection_));
}

net::Awaitable<> Driver::write(std::shared_ptr<Driver> self, std::shared_ptr<Connection> connection) {
  while (!connection->unsent.empty() && !connection->closed) {
    const std::string bytes = std::exchange(connection->unsent, {});
    const Status written = co_await connection->transport->write(bytes);
    if (!written) {
      connection->transport->close();
      break;
    }
  }
  connection->writing = false;
}

net::Awaitable<Status> Driver::establish(std::shared_ptr<Connection> connection) {
  std::string token = options_.token;
  if (options_.token_source) {
    auto fresh = co_await options_.token_source();
    if (connection->closed) co_return fail(Code::kUnavailable, "closed");
    if (!fresh && !temporary(fresh.error().code)) {
      core_.refuse(fresh.error(), SteadyClock::now());
      drain();
    }
    if (!fresh) co_return std::unexpected(fresh.error());
    token = std::move(*fresh);
  }
  const auto gate = co_await gates_.next();
  if (connection->closed) co_return fail(Code::kUnavailable, "closed");
  if (!gate) co_return std::unexpected(gate.error());
  auto status = co_await connection->transport->connect(*gate, options_.connect_timeout);
  if (connection->closed) co_return fail(Code::kUnavailable, "closed");
  if (!status) co_return status;
  core_.connected(std::move(token), wall_ms(), SteadyClock::now());
  drain();
  co_return Status{};
}

net::Awaitable<> Driver::run(std::shared_ptr<Driver> self, std::shared_ptr<Connection> connection) {
  const Status established = co_await self->establish(connection);
  if (!established) {
    self->lost(*connection, established.error());
    co_return;
  }
  net::PacketDecoder decoder(kMaxServerBodyBytes);
  std::vector<char> buffer(kReadBytes);
  while (!connection->closed) {
    const auto bytes =
        co_await connection->transport->read_some(net::asio::buffer(buffer.data(), buffer.size()));
    if (!bytes) {
      self->lost(*connection, bytes.error());
      co_return;
    }
    if (connection->closed) co_return;
    self->core_.on_bytes(*bytes, SteadyClock::now());
    decoder.feed({buffer.data(), *bytes});
    self->receive(*connection, decoder);
  }
}

void Driver::receive(Connection& connection, net::PacketDecoder& decoder) {
  while (!connection.closed) {
    const auto packet = decoder.next();
    if (!packet) {
      return lost(connection,
                  {.code = Code::kInternal, .message = std::string(net::to_string(packet.error()))});
    }
    if (*packet == nullptr) break;
    core_.on_packet(**packet, SteadyClock::now());
    drain();
  }
  decoder.keep();
}

void Driver::lost(Connection& connection, Failure reason) {
  if (connection.closed) return;
  connection.closed = true;
  connection.transport->close();
  connection_.reset();
  core_.disconnected(std::move(reason), SteadyClock::now());
  drain();
}

}  // namespace hongyan::client
