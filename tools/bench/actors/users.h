// Logged-in users for a load.
#pragma once

#include <memory>
#include <string>

#include "tools/bench/actors/connection.h"
#include "tools/bench/actors/fleet.h"
#include "tools/bench/measure/cluster.h"

namespace hongyan::bench {

constexpr int kLoginsAtOnce = 16;  // on each loop, where logins are not what is measured

struct User {
  std::shared_ptr<Connection> connection;
  client::AuthResp login;
};

// Signs a token and logs in on gate number `gate`, modulo their count; tries again, for some seconds, what is
// refused for the time being. Worker's loop.
[[nodiscard]] net::Awaitable<Result<User>> log_in(const Cluster& cluster, Worker& worker, std::string uid,
                                                  std::size_t gate,
                                                  client::DeviceType device = client::DEVICE_TYPE_LINUX,
                                                  net::Tcp::endpoint source = {});

// Lets this process hold so many connections. Error: kBadRequest, the limit of open files is too low.
[[nodiscard]] Status allow_connections(int connections);

// What connection number `index` binds to, because on loopback the ports of one address do not suffice for
// all.
[[nodiscard]] net::Tcp::endpoint source_of(const net::Tcp::endpoint& gate, int index);

}  // namespace hongyan::bench
