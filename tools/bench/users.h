// Logged-in users for a load.
#pragma once

#include <memory>
#include <string>

#include "tools/bench/cluster.h"
#include "tools/bench/connection.h"
#include "tools/bench/fleet.h"

namespace hongyan::bench {

constexpr int kLoginsAtOnce = 16;  // on each loop, where logins are not what is measured

struct User {
  std::shared_ptr<Connection> connection;
  client::AuthResp login;
};

// Signs a token and logs in on gate number `gate`, modulo their count. Worker's loop.
[[nodiscard]] net::Awaitable<Result<User>> log_in(const Cluster& cluster, Worker& worker, std::string uid,
                                                  std::size_t gate,
                                                  client::DeviceType device = client::DEVICE_TYPE_LINUX,
                                                  net::Tcp::endpoint source = {});

}  // namespace hongyan::bench
