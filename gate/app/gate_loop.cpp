#include "gate/app/gate_loop.h"

#include "common/base/random.h"
#include "common/log/log.h"
#include "common/net/listen.h"
#include "gate/transport/ws_transport.h"

namespace hongyan::gate {

namespace {

constexpr Milliseconds kTick{50};
constexpr double kLinesPerSecond = 10;     // about clients that do wrong
constexpr std::size_t kMostAtOnce = 4000;  // clients that a tick looks at: it must not take long
// Clients give up after about so long. Then the loop takes a moment to read what has gathered.
constexpr Milliseconds kStoodStill{2000};
constexpr Milliseconds kDistrust{500};

}  // namespace

GateLoop::GateLoop(net::EventLoop& loop, std::uint32_t index, const link::Identity& identity,
                   Admission& admission, const GateConfig& config, std::shared_ptr<const net::TlsContext> tls)
    : loop_(loop),
      config_(config),
      clients_(index, SteadyClock::now()),
      forwarder_(loop, index, identity, clients_, counters_, config.forwarder.share_of(config.workers)),
      context_{.loop = loop,
               .admission = admission,
               .options = config.session,
               .clients = clients_,
               .counters = counters_,
               .upstream = forwarder_,
               .host = *this,
               .outboxes = {.max_bytes = config.session.max_output_bytes,
                            .bytes_out = counters_.bytes_out,
                            .pool = {},
                            .gather = {}},
               .lines = log::LineLimit(kLinesPerSecond)},
      random_(static_cast<std::uint32_t>(random_id())),
      arrivals_(loop, admission, counters_, net::parse_networks(config.admission.proxy_protocol_from),
                config.session.login_deadline, std::move(tls), *this),
      timer_(loop.executor()) {}

GateLoop::~GateLoop() { end_all(); }

Result<std::uint16_t> GateLoop::listen(TransportKind kind, const std::string& host, std::uint16_t port,
                                       bool first) {
  net::Acceptor& acceptor = listeners_.emplace_back(kind, loop_.executor(), counters_).acceptor;
  if (auto listening = net::listen_shared(acceptor.socket(), host, port, first); !listening) {
    return std::unexpected(listening.error());
  }
  return acceptor.socket().local_endpoint().port();
}

void GateLoop::start() {
  for (auto& listener : listeners_) loop_.spawn("accept", accept(this, &listener));
  loop_.spawn("tick", tick_always(this));
}

void GateLoop::set_nodes(std::vector<link::Member> nodes) {
  loop_.post([this, nodes = std::move(nodes)] { forwarder_.set_nodes(nodes); });
}

void GateLoop::set_tls(std::shared_ptr<const net::TlsContext> tls) {
  loop_.post([this, tls = std::move(tls)]() mutable { arrivals_.set_tls(std::move(tls)); });
}

void GateLoop::drain() {
  loop_.post([this] {
    draining_ = true;
    arrivals_.stop();
    for (auto& listener : listeners_) listener.acceptor.close();
    const auto spread = static_cast<std::uint32_t>(config_.drain_spread.count());
    clients_.for_each([this, spread](Client& client) {
      client.session->kick(client::KICK_REASON_SERVER_DRAIN, "the server stops",
                           std::uniform_int_distribution<std::uint32_t>(0, spread)(random_));
    });
  });
}

void GateLoop::stop() {
  loop_.post([this] {
    stopped_ = true;
    timer_.cancel();
    end_all();
    forwarder_.stop();
  });
}

void GateLoop::end_all() {
  std::vector<Session*> all;
  clients_.for_each([&all](Client& client) { all.push_back(client.session); });
  for (Session* session : all) session->end("the gate stops");
  to_flush_.clear();
  lingering_.clear();
}

net::Awaitable<> GateLoop::accept(GateLoop* self, Listener* listener) {
  while (auto socket = co_await net::Acceptor::accept(listener->acceptor, self->loop_.executor())) {
    self->arrivals_.take(listener->kind, std::move(*socket));
  }
}

void GateLoop::arrived(Arrivals::Arrival arrival) {
  arrival.stream.limit_unsent(config_.session.max_unsent_bytes);
  std::unique_ptr<Transport> transport;
  if (arrival.kind == TransportKind::kTcp || arrival.kind == TransportKind::kTls) {
    transport = std::make_unique<StreamTransport>(std::move(arrival.stream), read_buffer_);
  } else {
    transport = std::make_unique<WsTransport>(std::move(arrival.stream), read_buffer_, config_.websocket);
  }
  const auto session = Session::start(context_, std::move(transport), std::move(arrival.arrived));
  pending_.push_back(session->client().channel);
}

Client* GateLoop::oldest_pending() {
  for (; !pending_.empty(); pending_.pop_front()) {
    Client* client = clients_.find(pending_.front());
    if (client != nullptr && !client->logged_in) return client;
  }
  return nullptr;
}

bool GateLoop::end_oldest_pending(SteadyTime before) {
  Client* client = oldest_pending();
  if (client == nullptr || client->accepted_at > before) return false;
  counters_.refused(Refusal::kTooManyPending);
  client->session->end("another one takes its place");
  return true;
}

net::Awaitable<> GateLoop::tick_always(GateLoop* self) {
  self->last_tick_ = SteadyClock::now();
  while (!self->stopped_) {
    self->timer_.expires_after(kTick);
    net::error_code ignored;
    co_await self->timer_.async_wait(net::await(ignored));
    if (!self->stopped_) self->tick();
  }
}

void GateLoop::tick() {
  const SteadyTime now = SteadyClock::now();
  if (now - last_tick_ > kStoodStill) distrust_until_ = now + kDistrust;
  last_tick_ = now;
  while (!lingering_.empty() && lingering_.front().until <= now) {
    const SessionPtr session = std::move(lingering_.front().session);
    lingering_.pop_front();
    session->end("lingered");
  }
  arrivals_.tick(now);
  static_cast<void>(oldest_pending());  // forgets those before it
  clients_.look(now, kMostAtOnce, [this, now](Client& client) {
    const auto next = client.session->check(now);
    if (next) clients_.look_at(client, std::min(*next, forwarder_.report_alive(client, now)));
  });
  forwarder_.tick(now);

  const owners::Router& router = forwarder_.router();
  counters_.connections.set(clients_.size());
  counters_.logged_in.set(clients_.logged_in());
  counters_.in_flight.set(router.in_flight());
  counters_.held_requests.set(router.waiting());
  counters_.held_bytes.set(router.held_bytes());
  counters_.unowned_slots.set(router.owners().unowned());
  counters_.links.set(forwarder_.links());
  counters_.resent.set(router.resent());
}

bool GateLoop::stood_still(SteadyTime now) const {
  return now - last_tick_ > kStoodStill || now < distrust_until_;
}

void GateLoop::flush_later(SessionPtr session) {
  if (to_flush_.empty()) loop_.post([this] { flush_all(); });
  to_flush_.push_back(std::move(session));
}

void GateLoop::flush_all() {
  flushing_.swap(to_flush_);
  for (const auto& session : flushing_) session->flush();
  flushing_.clear();
}

void GateLoop::end_later(SessionPtr session) {
  lingering_.push_back(
      {.until = SteadyClock::now() + SessionOptions::kLinger, .session = std::move(session)});
}

}  // namespace hongyan::gate
