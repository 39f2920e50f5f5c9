// The gate daemon, put together.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "common/daemon/certificate.h"
#include "common/daemon/daemon.h"
#include "common/link/membership.h"
#include "common/metrics/health.h"
#include "common/metrics/registry.h"
#include "gate/app/gate_loop.h"
#include "gate/config/gate_config.h"

namespace hongyan::gate {

// start(), any number of reload(), stop() once; all by one thread, which waits while the gate drains. Clients
// find it by its heartbeats to iplist.
class Gate : public daemon::Daemon {
 public:
  // Registry and health outlive the gate.
  Gate(GateConfig config, metrics::Registry& registry, metrics::Health& health);
  ~Gate() override;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Error: what cannot be listened on, with why.
  [[nodiscard]] Status start();
  // Sends the clients elsewhere and ends; takes at most drain_deadline and a little.
  void stop() override;
  // Reads certificate and key anew; those that cannot be used leave the present ones in place.
  void reload() override;

  // After start().
  [[nodiscard]] std::uint16_t port(TransportKind kind = TransportKind::kTcp) const noexcept {
    return ports_[static_cast<std::size_t>(kind)];
  }

 private:
  // Clients that this process has descriptors for, at most max_connections; warns when they are fewer.
  [[nodiscard]] static std::uint32_t fitting_connections(const GateConfig& config);
  [[nodiscard]] Status listen();
  [[nodiscard]] Status listen(TransportKind kind);
  [[nodiscard]] link::Heartbeat heartbeat();
  // A client was turned away since the last heartbeat, because descriptors were used up.
  [[nodiscard]] bool out_of_descriptors();
  void add_health();
  // Gives memory back to the system when many clients have gone.
  [[nodiscard]] static net::Awaitable<> trim_always(Gate* self);
  // Waits until every loop has run what was posted to it.
  void wait_for_loops();

  const GateConfig config_;
  link::Identity identity_;
  const std::uint32_t max_connections_;
  Admission admission_;
  daemon::Certificate certificate_;
  metrics::Registry& registry_;
  metrics::Health& health_;
  net::EventLoop main_loop_{"gate-main"};
  net::LoopPool threads_;
  std::vector<std::unique_ptr<GateLoop>> loops_;
  std::unique_ptr<link::Membership> membership_;
  std::array<std::uint16_t, protocol::kTransportKinds> ports_{};  // 0: not listened on
  std::uint64_t turned_away_ = 0;                                 // as of the last heartbeat; main loop
  bool running_ = false;
};

}  // namespace hongyan::gate
