// One event loop of the gate, with its listeners, its sessions and its links.
#pragma once

#include <deque>
#include <random>
#include <vector>

#include "common/link/member_view.h"
#include "common/net/acceptor.h"
#include "gate/app/arrivals.h"
#include "gate/config/gate_config.h"
#include "gate/forward/forwarder.h"
#include "gate/session/session.h"
#include "gate/transport/stream_transport.h"

namespace hongyan::gate {

// Lives on one loop. listen() before the loop starts or on it, start() any time after; set_nodes(), set_tls()
// and drain() by any thread. The loop must have ended before it is destroyed. Identity, admission and
// configuration outlive it.
class GateLoop : private SessionLoop, private Arrivals::Sessions {
 public:
  // tls null: no TLS.
  GateLoop(net::EventLoop& loop, std::uint32_t index, const link::Identity& identity, Admission& admission,
           const GateConfig& config, std::shared_ptr<const net::TlsContext> tls);
  ~GateLoop() override;
  GateLoop(const GateLoop&) = delete;
  GateLoop& operator=(const GateLoop&) = delete;

  // Opens a listener of this loop on the port that all loops share; port 0 for the first of them: the
  // system chooses. Returns the port.
  [[nodiscard]] Result<std::uint16_t> listen(TransportKind kind, const std::string& host, std::uint16_t port,
                                             bool first);
  void start();
  void set_nodes(std::vector<link::Member> nodes);
  // For connections accepted from now on.
  void set_tls(std::shared_ptr<const net::TlsContext> tls);
  // Refuses new clients, sends the present ones elsewhere (Kickout SERVER_DRAIN) and closes.
  void drain();
  // After drain(): ends what is left, and the links.
  void stop();

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  [[nodiscard]] bool stood_still(SteadyTime now) const override;
  void flush_later(SessionPtr session) override;
  void end_later(SessionPtr session) override;
  void arrived(Arrivals::Arrival arrival) override;
  bool end_oldest_pending(SteadyTime before) override;
  // The client that has waited longest for its login; null: none does.
  [[nodiscard]] Client* oldest_pending();

  struct Listener {
    Listener(TransportKind of, net::Executor executor, Counters& counters)
        : kind(of), acceptor(executor, "gate", [&counters] { counters.refused(Refusal::kNoDescriptors); }) {}

    TransportKind kind;
    net::Acceptor acceptor;
  };
  [[nodiscard]] static net::Awaitable<> accept(GateLoop* self, Listener* listener);
  [[nodiscard]] static net::Awaitable<> tick_always(GateLoop* self);
  void tick();
  void flush_all();
  void end_all();

  net::EventLoop& loop_;
  const GateConfig& config_;

  // Loop only.
  Counters counters_;
  ClientTable clients_;
  Forwarder forwarder_;
  ReadBuffer read_buffer_;
  SessionContext context_;
  std::vector<SessionPtr> to_flush_;
  std::vector<SessionPtr> flushing_;
  struct Lingering {
    SteadyTime until;
    SessionPtr session;
  };
  std::deque<Lingering> lingering_;
  std::deque<std::uint64_t> pending_;  // channels as they came; those behind the first may have logged in
  std::minstd_rand random_;
  std::deque<Listener> listeners_;
  Arrivals arrivals_;
  net::Timer timer_;
  SteadyTime last_tick_ = SteadyClock::now();
  SteadyTime distrust_until_{};  // see stood_still()
  bool draining_ = false;
  bool stopped_ = false;
};

}  // namespace hongyan::gate
