// The directory on the network: heartbeats by links, questions of clients by HTTP.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/http/router.h"
#include "common/link/link.h"
#include "common/metrics/health.h"
#include "common/metrics/registry.h"
#include "iplist/directory.h"

namespace hongyan::iplist {

// Lives on one loop: links, HTTP handlers and tick() all run there; so it outlives the loop. Counts are read
// by any thread.
class GatesApi : public link::LinkHandler {
 public:
  GatesApi(std::uint32_t ttl_seconds, metrics::Registry& metrics, metrics::Health& health);
  ~GatesApi() override;

  // GET /v1/gates, as docs/protocol.md has it.
  [[nodiscard]] http::Router router();

  // Every 250 ms: forgets dead nodes.
  [[nodiscard]] static net::Awaitable<> tick(GatesApi* self);

  void on_link_up(const link::LinkPtr& link) override;
  void on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) override;
  void on_link_down(const link::LinkPtr& link) override;

 private:
  [[nodiscard]] http::Response gates(const http::Request& request);
  void on_heartbeat(const link::LinkPtr& link, const link::LinkPacket& packet);
  void refuse(const link::LinkPtr& link, std::string_view reason);
  void update_counts();

  const std::uint32_t ttl_seconds_;
  metrics::Health& health_;
  metrics::Gauge& gates_gauge_;
  metrics::Gauge& logic_gauge_;
  metrics::Counter& heartbeats_;
  metrics::Counter& bad_heartbeats_;
  metrics::Counter& answered_;
  metrics::Counter& unanswered_;
  metrics::Counter& bad_requests_;

  std::atomic<std::size_t> live_gates_{0};
  std::atomic<std::size_t> live_logic_{0};

  // Loop only.
  Directory directory_;
  std::uint64_t anonymous_ = 0;  // requests without a uid, to spread them
};

// The question in a request; kBadRequest with what is wrong.
[[nodiscard]] Result<GateQuery> parse_query(const http::Request& request);

}  // namespace hongyan::iplist
