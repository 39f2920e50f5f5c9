// The listener for operators that every daemon has: metrics, health, log level.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/http/server.h"
#include "common/metrics/health.h"
#include "common/metrics/registry.h"

namespace hongyan::metrics {

// GET /metrics     Prometheus' text format
// GET /healthz     200 (ok, degraded) or 503 (failing) with the checks as JSON
// GET /log-level   {"level":"info"}; PUT with "debug" or {"level":"debug"} as body changes it at once
//
// Has a thread of its own, so that a busy daemon still answers. Nobody is authenticated: listen on a private
// address. Registry and health outlive it. start() first, destroy before what checks and refreshers refer to.
class AdminServer {
 public:
  // Port 0: the system chooses.
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>> start(const std::string& host, std::uint16_t port,
                                                                  Registry& registry, Health& health);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  [[nodiscard]] std::uint16_t local_port() const noexcept { return server_->local_port(); }

 private:
  AdminServer() = default;

  net::EventLoop loop_{"admin"};
  std::unique_ptr<http::Server> server_;
};

}  // namespace hongyan::metrics
