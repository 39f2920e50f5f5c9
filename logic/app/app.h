// The logic daemon: everything put together.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "common/daemon/daemon.h"
#include "common/http/server.h"
#include "common/link/link_server.h"
#include "common/link/membership.h"
#include "logic/api/caller.h"
#include "logic/api/server_api.h"
#include "logic/app/config.h"
#include "logic/app/gate_links.h"
#include "logic/app/slot_thread.h"
#include "logic/kafka/kafka.h"

namespace hongyan::logic {

// Owns all threads of the daemon: slot threads (whose loops also serve the links of gates), a
// control loop (membership, server API), the shards' threads.
class App : public daemon::Daemon, private ShardObserver {
 public:
  // An error is final: one clear line for the operator. Shards that cannot be reached are tried again in the
  // background.
  [[nodiscard]] static Result<std::unique_ptr<daemon::Daemon>> start(LogicConfig config,
                                                                     daemon::Context& context);
  ~App() override;

  // Refuses, finishes what storage has begun, closes, joins.
  void stop() override;
  // Reads the server API's certificate anew.
  void reload() override;

 private:
  App(LogicConfig config, daemon::Context& context);
  [[nodiscard]] Status run();

  void shard_acquired(std::size_t shard, std::vector<AcquiredSlot> slots, Redo redo) override;
  void shard_lost(std::size_t shard, std::vector<Slot> slots) override;
  void shard_suspended(std::size_t shard, const std::string& reason) override;
  void shard_resumed(std::size_t shard) override;
  void fenced_off(std::size_t shard, const std::string& reason) override;

  [[nodiscard]] Status check_shards();
  [[nodiscard]] Status start_kafka();
  void make_shards();
  void make_threads();
  [[nodiscard]] Status open_listeners();
  [[nodiscard]] Status open_api();
  void flush_cursors();
  // Gives up all slots, and waits until gates have heard of it.
  void leave();
  // Whether gates or peers reach this node: says so to the shards.
  [[nodiscard]] static net::Awaitable<> watch_peers(App* self);
  void set_shard_status(std::size_t shard, SlotStatus status);

  const LogicConfig config_;
  link::Identity identity_;
  MsgIdClock clock_;
  Leadership leadership_;
  auth::JwtTokens tokens_;
  ApiKeys keys_;
  daemon::Context& context_;
  daemon::Certificate certificate_;  // of the server API

  UploadDestinations destinations_;
  const RulesOfApps rules_;
  std::unique_ptr<Kafka> kafka_;  // null: none is configured
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<ShardSet> shard_set_;
  net::EventLoop control_{"control"};
  SlotThreads threads_;
  std::unique_ptr<GateLinks> gates_;
  std::shared_ptr<link::LinkServer> link_server_;
  std::atomic<std::uint64_t> last_given_up_{0};  // version of what gates were told of it
  std::atomic<std::int64_t> held_slots_{0};
  std::unique_ptr<link::Membership> membership_;
  std::unique_ptr<Caller> caller_;
  std::unique_ptr<ServerApi> server_api_;
  std::unique_ptr<http::Server> api_;
};

}  // namespace hongyan::logic
