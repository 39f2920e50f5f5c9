// The logic daemon: everything put together.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "common/http/server.h"
#include "common/link/link_server.h"
#include "common/link/membership.h"
#include "common/metrics/admin_server.h"
#include "logic/api/keys.h"
#include "logic/config.h"
#include "logic/gate_links.h"
#include "logic/store/redis_routes.h"
#include "logic/work_router.h"

namespace hongyan::logic {

// Owns all threads of the daemon: slot threads (one loop each, which also serves the links of gates), a
// control loop (membership, server API), the shards' threads. start() once, stop() once, both by main.
class App : private ShardObserver {
 public:
  explicit App(LogicConfig config);
  ~App() override;
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // An error is final: one clear line for the operator. Shards that cannot be reached are tried again in the
  // background.
  [[nodiscard]] Status start();
  // Refuses, finishes what storage has begun, closes, joins.
  void stop();

 private:
  struct Worker;

  void shard_acquired(std::size_t shard, std::vector<AcquiredSlot> slots, std::vector<RedoRow> redo,
                      std::vector<MsgId> pending) override;
  void shard_suspended(std::size_t shard, const std::string& reason) override;
  void shard_resumed(std::size_t shard) override;
  void fenced_off(std::size_t shard, const std::string& reason) override;

  [[nodiscard]] Status check_shards();
  void make_shards();
  void make_workers();
  [[nodiscard]] Status open_listeners();
  void add_metrics();
  void set_shard_status(std::size_t shard, SlotStatus status);
  [[nodiscard]] static net::Awaitable<> tick(Worker* worker, std::string marker);

  const LogicConfig config_;
  link::Identity identity_;
  MsgIdClock clock_;
  JwtHs256 tokens_;
  ApiKeys keys_;
  metrics::Registry registry_;
  metrics::Health health_;

  WorkRouter router_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<ShardSet> shard_set_;
  net::EventLoop control_{"control"};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<GateLinks> gates_;
  std::shared_ptr<link::LinkServer> link_server_;
  std::unique_ptr<link::Membership> membership_;
  std::unique_ptr<http::Server> api_;
  std::unique_ptr<metrics::AdminServer> admin_;
};

}  // namespace hongyan::logic
