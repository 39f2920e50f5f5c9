#include "gate/app/arrivals.h"

#include <array>
#include <utility>

#include "common/log/log.h"
#include "common/net/proxy_protocol.h"

namespace hongyan::gate {

namespace {

using Outcome = net::StreamIo::Outcome;

constexpr double kLinesPerSecond = 10;
constexpr Milliseconds kLeastTime{1000};  // that everybody has to log in, however many there are

bool is_secure(TransportKind kind) { return kind == TransportKind::kTls || kind == TransportKind::kWss; }

}  // namespace

struct Arrivals::Item {
  TransportKind kind;
  net::Stream stream;
  Arrived arrived;
  std::list<ItemPtr>::iterator place{};
  bool in_handshake = false;
};

Arrivals::Arrivals(net::EventLoop& loop, Admission& admission, Counters& counters,
                   std::vector<net::Network> proxies, Milliseconds deadline,
                   std::shared_ptr<const net::TlsContext> tls, Sessions& sessions)
    : loop_(loop),
      admission_(admission),
      counters_(counters),
      proxies_(std::move(proxies)),
      deadline_(deadline),
      tls_(std::move(tls)),
      sessions_(sessions),
      lines_(kLinesPerSecond) {}

void Arrivals::take(TransportKind kind, net::TcpSocket socket) {
  if (stopped_) return;
  counters_.accepted.add();
  const auto address = net::plain(remote_of(socket));
  Item item{.kind = kind,
            .stream = net::Stream(std::move(socket)),
            .arrived = {.place = {}, .address = address, .at = SteadyClock::now()}};
  const bool proxied = !proxies_.empty() && net::contains(proxies_, address);
  if (!proxied && !admit(item)) return;
  if (!proxied && !is_secure(kind)) {
    return sessions_.arrived(
        {.kind = kind, .stream = std::move(item.stream), .arrived = std::move(item.arrived)});
  }
  auto waiting = std::make_shared<Item>(std::move(item));
  waiting->place = items_.insert(items_.end(), waiting);
  loop_.spawn("arrival", bring(this, std::move(waiting)));
}

net::Awaitable<> Arrivals::bring(Arrivals* self, ItemPtr item) {
  bool come = true;
  if (!self->proxies_.empty() && net::contains(self->proxies_, item->arrived.address)) {
    come = co_await read_proxy_header(self, item) && self->admit(*item);
  }
  if (come && is_secure(item->kind)) come = co_await shake_hands(self, item);
  self->done(item);
  if (!come || self->stopped_ || !item->stream.is_open()) co_return;
  self->sessions_.arrived(
      {.kind = item->kind, .stream = std::move(item->stream), .arrived = std::move(item->arrived)});
}

net::Awaitable<bool> Arrivals::read_proxy_header(Arrivals* self, ItemPtr item) {
  std::string header;
  for (;;) {
    net::error_code ec;
    co_await item->stream.socket().async_wait(net::TcpSocket::wait_read, net::await(ec));
    if (ec) co_return false;
    // Looked at first, and taken only as far as the header goes.
    std::array<char, 512> bytes;
    auto io = item->stream.peek(net::asio::buffer(bytes));
    if (io.outcome == Outcome::kBlocked) continue;
    if (io.outcome != Outcome::kDone) co_return false;
    const std::size_t before = header.size();
    header.append(bytes.data(), io.bytes);
    const auto parsed = net::parse_proxy_header(header);
    if (!parsed) {
      self->refused(*item, Refusal::kProxyHeader);
      co_return false;
    }
    const std::size_t size = *parsed ? (*parsed)->size : header.size();
    io = item->stream.read_some(net::asio::buffer(bytes.data(), size - before));
    if (io.outcome != Outcome::kDone || io.bytes != size - before) co_return false;
    if (!*parsed) continue;
    if ((*parsed)->client) item->arrived.address = net::plain(*(*parsed)->client);
    co_return true;
  }
}

net::Awaitable<bool> Arrivals::shake_hands(Arrivals* self, ItemPtr item) {
  net::error_code ec;
  // A connection that says nothing costs little until it does.
  co_await item->stream.socket().async_wait(net::TcpSocket::wait_read, net::await(ec));
  if (ec || !self->begin_handshake(*item)) co_return false;
  item->stream.secure(*self->tls_);
  for (;;) {
    const auto io = item->stream.handshake();
    if (io.outcome == Outcome::kDone) break;
    if (io.outcome != Outcome::kBlocked) {
      self->counters_.refused(Refusal::kHandshakeFailed);
      log::debug("gate", "no TLS handshake address={} reason={}", item->arrived.address.to_string(),
                 log::quoted(item->stream.failure()));
      co_return false;
    }
    co_await item->stream.socket().async_wait(item->stream.read_wait(), net::await(ec));
    if (ec) co_return false;
  }
  item->in_handshake = false;
  item->arrived.place.end_handshake();
  co_return true;
}

bool Arrivals::admit(Item& item) {
  const SteadyTime now = SteadyClock::now();
  auto place = admission_.admit(item.arrived.address, now);
  if (!place && place.error() == Refusal::kTooManyPending) {
    const SteadyTime before = now - kLeastTime;
    if (sessions_.end_oldest_pending(before) || end_oldest(before, false, Refusal::kTooManyPending)) {
      place = admission_.admit(item.arrived.address, now);
    }
  }
  if (!place) {
    refused(item, place.error());
    return false;
  }
  item.arrived.place = std::move(*place);
  return true;
}

bool Arrivals::begin_handshake(Item& item) {
  const SteadyTime now = SteadyClock::now();
  auto refusal = item.arrived.place.begin_handshake(now);
  if (refusal == Refusal::kTooManyHandshakes &&
      end_oldest(now - kLeastTime, true, Refusal::kTooManyHandshakes)) {
    refusal = item.arrived.place.begin_handshake(now);
  }
  item.in_handshake = !refusal;
  if (refusal) refused(item, *refusal);
  return !refusal;
}

bool Arrivals::end_oldest(SteadyTime before, bool handshake, Refusal refusal) {
  for (const auto& item : items_) {
    if (item->arrived.at > before) return false;
    if (!item->stream.is_open() || (handshake && !item->in_handshake)) continue;
    item->stream.close();
    item->arrived.place = {};
    refused(*item, refusal);
    return true;
  }
  return false;
}

void Arrivals::done(const ItemPtr& item) { items_.erase(item->place); }

void Arrivals::tick(SteadyTime now) {
  for (const auto& item : items_) {
    if (now - item->arrived.at < deadline_) break;
    if (!item->stream.is_open()) continue;
    counters_.refused(Refusal::kLoginDeadline);
    item->stream.close();
  }
}

void Arrivals::stop() {
  stopped_ = true;
  for (const auto& item : items_) item->stream.close();
}

void Arrivals::refused(const Item& item, Refusal refusal) {
  counters_.refused(refusal);
  const auto suppressed = lines_.allow(SteadyClock::now());
  if (!suppressed) return;
  log::info("gate", "refused address={} transport={} reason={} suppressed={}",
            item.arrived.address.to_string(), to_string(item.kind), to_string(refusal), *suppressed);
}

}  // namespace hongyan::gate
