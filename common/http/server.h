// A small HTTP/1.1 server: for health and metrics, for iplist's clients, for the server API.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/http/router.h"
#include "common/net/event_loop.h"
#include "common/net/network.h"
#include "common/net/tls.h"

namespace hongyan::http {

struct Limits {
  std::size_t max_header_bytes = 16 << 10;  // beyond: 431
  std::size_t max_body_bytes = 1 << 20;     // beyond: 413
  std::size_t max_connections = 1024;       // beyond: the longest idle is closed; when none is idle: 503
  std::size_t max_per_address = 0;          // the same for those of an address (IPv6: /64); 0: no limit
  std::vector<net::Network> exempt = {};    // from max_per_address
  Milliseconds header_deadline{10'000};     // from accept, or the first byte of a later request; beyond: 408
  Milliseconds body_deadline{30'000};       // beyond: 408
  Milliseconds idle_timeout{60'000};        // between two requests; then closed
  Milliseconds write_deadline{30'000};      // for one response; then closed
};

// Serves one address on one loop. Connections stay open between requests (keep-alive); pipelined requests are
// answered one after the other. Errors of the server itself have the JSON form of error_response(). A refused
// request's connection closes after the answer when its end cannot be found (400, 408, 413, 431), and when it is refused before
// its body was read: unknown paths, and what a route's HeadCheck says no to.
//
// Life: start() by any thread; stop() once by any thread; destroy after the loop has been joined, or any time
// after stop_and_wait(). What handlers refer to must live until then.
class Server {
 public:
  // tls: null for plain HTTP. host: an address, or "" for all. Port 0: the system chooses. Error kUnavailable when the port is in use.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(net::EventLoop& loop, const std::string& host,
                                                             std::uint16_t port, Router router,
                                                             Limits limits = {},
                                                             std::shared_ptr<const net::TlsContext> tls = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t local_port() const noexcept;

  // For connections from now on; of a server that was started with one.
  void set_tls(std::shared_ptr<const net::TlsContext> tls);

  // Accepts nothing more, closes idle connections, lets running requests end within `drain`, then closes.
  // `done` runs on the loop after that.
  void stop(Milliseconds drain, std::function<void()> done = {});
  // The same, waiting. Not on the loop's own thread; the loop must be running.
  void stop_and_wait(Milliseconds drain);

 private:
  class State;
  class Connection;
  explicit Server(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace hongyan::http
