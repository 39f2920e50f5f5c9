// Connections on their way to become sessions.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "common/log/line_limit.h"
#include "common/net/event_loop.h"
#include "common/net/network.h"
#include "common/net/stream.h"
#include "gate/session/session.h"

namespace hongyan::gate {

// Asks for each accepted connection whether it may come in, after a proxy before the gate has told whose it is,
// and does its TLS handshake, so that a session begins with the client's first packets. What takes longer than
// the deadline is closed, as are the oldest ones for new ones when there are too many. Lives on its loop,
// all calls there; the loop must have ended before it is destroyed. Admission and counters outlive it.
class Arrivals {
 public:
  struct Arrival {
    TransportKind kind;
    net::Stream stream;
    Arrived arrived;
  };
  // The loop's sessions. Outlives the arrivals.
  class Sessions {
   public:
    virtual ~Sessions() = default;
    virtual void arrived(Arrival arrival) = 0;
    // Ends the session that has waited longest for its login, when that came before; false: there is none.
    virtual bool end_oldest_pending(SteadyTime before) = 0;
  };

  // proxies: whose connections begin with a PROXY header. tls null: no TLS.
  Arrivals(net::EventLoop& loop, Admission& admission, Counters& counters, std::vector<net::Network> proxies,
           Milliseconds deadline, std::shared_ptr<const net::TlsContext> tls, Sessions& sessions);

  // For handshakes that begin from now on.
  void set_tls(std::shared_ptr<const net::TlsContext> tls) { tls_ = std::move(tls); }
  void take(TransportKind kind, net::TcpSocket socket);
  void tick(SteadyTime now);
  // None of those under way becomes a session; further ones are closed.
  void stop();

 private:
  struct Item;
  using ItemPtr = std::shared_ptr<Item>;
  [[nodiscard]] static net::Awaitable<> bring(Arrivals* self, ItemPtr item);
  // False: it has ended, for a reason that is counted.
  [[nodiscard]] static net::Awaitable<bool> read_proxy_header(Arrivals* self, ItemPtr item);
  [[nodiscard]] static net::Awaitable<bool> shake_hands(Arrivals* self, ItemPtr item);
  [[nodiscard]] bool admit(Item& item);
  [[nodiscard]] bool begin_handshake(Item& item);
  // Makes room by the oldest one, or the oldest handshake, when that came before.
  [[nodiscard]] bool end_oldest(SteadyTime before, bool handshake, Refusal refusal);
  void done(const ItemPtr& item);
  void refused(const Item& item, Refusal refusal);

  net::EventLoop& loop_;
  Admission& admission_;
  Counters& counters_;
  const std::vector<net::Network> proxies_;
  const Milliseconds deadline_;
  std::shared_ptr<const net::TlsContext> tls_;
  Sessions& sessions_;
  log::LineLimit lines_;
  std::list<ItemPtr> items_;  // that wait for bytes; the oldest first
  bool stopped_ = false;
};

}  // namespace hongyan::gate
