// The iplist daemon: everything put together.
#pragma once

#include <memory>

#include "common/daemon/daemon.h"
#include "common/http/server.h"
#include "common/link/link_server.h"
#include "iplist/config.h"
#include "iplist/demo.h"
#include "iplist/gates_api.h"

namespace hongyan::iplist {

// One loop does all of it. start() is done once both listeners are open; stop() takes less than a second.
class App : public daemon::Daemon {
 public:
  // An error is final: one clear line, a port in use for instance.
  [[nodiscard]] static Result<std::unique_ptr<daemon::Daemon>> start(const IplistConfig& config,
                                                                     daemon::Context& context);
  ~App() override;
  void stop() override;
  // Reads the certificate anew.
  void reload() override;

  [[nodiscard]] std::uint16_t clients_port() const noexcept { return http_->local_port(); }
  [[nodiscard]] std::uint16_t heartbeats_port() const noexcept { return links_->port(); }

 private:
  App(const IplistConfig& config, daemon::Context& context);
  [[nodiscard]] Status open(const IplistConfig& config, daemon::Context& context);

  const link::Identity identity_;
  GatesApi gates_api_;  // this and demo_ outlive the loop, whose coroutines refer to them
  const Demo demo_;
  net::EventLoop loop_{"iplist"};
  daemon::Certificate certificate_;
  std::shared_ptr<link::LinkServer> links_;
  std::unique_ptr<http::Server> http_;
  bool stopped_ = false;
};

}  // namespace hongyan::iplist
