#include "tools/bench/actors/users.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include "tools/bench/actors/retry.h"

namespace hongyan::bench {

namespace {
constexpr int kMostTries = 100;
constexpr rlim_t kOtherFiles = 100;
constexpr int kConnectionsAnAddress = 10'000;  // of about 28,000 ports
}  // namespace

net::Awaitable<Result<User>> log_in(const Cluster& cluster, Worker& worker, std::string uid, std::size_t gate,
                                    client::DeviceType device, net::Tcp::endpoint source) {
  auto token = sign_token(cluster, uid);
  if (!token) co_return std::unexpected(token.error());
  for (int tries = 1;; ++tries) {
    auto connection = std::make_shared<Connection>(worker.io);
    auto response = co_await connection->log_in({.gate = cluster.gate_of(gate),
                                                 .source = source,
                                                 .transports = cluster.transports,
                                                 .app_id = cluster.app_id,
                                                 .uid = uid,
                                                 .token = *token,
                                                 .device = device});
    if (response) co_return User{.connection = std::move(connection), .login = std::move(*response)};
    if (!for_now(response.error().code) || tries == kMostTries) co_return std::unexpected(response.error());
    co_await net::sleep_for(retry_after(response.error().retry_after_ms));
  }
}

Status allow_connections(int connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(Code::kInternal, "getrlimit failed");
  limit.rlim_cur = limit.rlim_max;
  const rlim_t wanted = static_cast<rlim_t>(connections) + kOtherFiles;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    return fail(Code::kBadRequest,
                fmt::format("{} open files are needed, {} are allowed (ulimit -Hn)", wanted, limit.rlim_max));
  }
  return {};
}

net::Tcp::endpoint source_of(const net::Tcp::endpoint& gate, int index) {
  const auto address = gate.address();
  if (!address.is_v4() || !address.is_loopback()) return {};
  const auto number = static_cast<std::uint32_t>(2 + index / kConnectionsAnAddress);
  return {net::asio::ip::address_v4(0x7F000000U + number), 0};
}

}  // namespace hongyan::bench
