// The cluster under load, as its env file describes it, and tokens for its users.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "client/cpp/transport.h"
#include "common/base/result.h"
#include "common/net/asio.h"

namespace hongyan::bench {

struct Cluster {
  std::string folder = {};                     // of the cluster
  std::vector<net::Tcp::endpoint> gates = {};  // of the transport
  client::TransportFactory transports = {};    // empty: TCP
  std::string app_id = {};
  std::string token_secret = {};
  std::string api = {};
  std::string api_key = {};
  std::string pids = {};            // folder of NAME.pid; empty: the servers' CPU is not measured
  std::string mysql = {};           // host:port of the first shard's server
  std::string mysql_password = {};  // of root, too
  std::string mysql_database = {};  // the first shard's

  // Of index's user; spread evenly.
  [[nodiscard]] const net::Tcp::endpoint& gate_of(std::size_t index) const {
    return gates[index % gates.size()];
  }
};

// Errors: kNotFound, kBadRequest, with what is missing.
[[nodiscard]] Result<Cluster> read_cluster(const std::string& env_file,
                                           client::TransportKind transport = client::TransportKind::kTcp);

// A token that is good for an hour, signed here as the app's own account system would.
[[nodiscard]] Result<std::string> sign_token(const Cluster& cluster, const std::string& uid);

// 16 hexadecimal digits, random: users and messages of different runs do not meet.
[[nodiscard]] std::string random_run_id();

}  // namespace hongyan::bench
