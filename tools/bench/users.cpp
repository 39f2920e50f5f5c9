#include "tools/bench/users.h"

namespace hongyan::bench {

net::Awaitable<Result<User>> log_in(const Cluster& cluster, Worker& worker, std::string uid, std::size_t gate,
                                    client::DeviceType device, net::Tcp::endpoint source) {
  auto token = sign_token(cluster, uid);
  if (!token) co_return std::unexpected(token.error());
  auto connection = std::make_shared<Connection>(worker.io);
  auto response = co_await connection->log_in({.gate = cluster.gate_of(gate),
                                               .source = source,
                                               .app_id = cluster.app_id,
                                               .uid = std::move(uid),
                                               .token = std::move(*token),
                                               .device = device});
  if (!response) co_return std::unexpected(response.error());
  co_return User{.connection = std::move(connection), .login = std::move(*response)};
}

}  // namespace hongyan::bench
