#include "tools/bench/measure/cluster.h"

#include <fmt/format.h>

#include "common/auth/token.h"
#include "common/base/endpoint.h"
#include "common/base/random.h"
#include "tools/support/cluster_env.h"

namespace hongyan::bench {

namespace {

constexpr std::int64_t kTokenSeconds = 3'600;

Result<net::Tcp::endpoint> endpoint_of(const std::string& text) {
  const auto endpoint = parse_endpoint(text);
  net::error_code ec = net::asio::error::invalid_argument;
  net::asio::ip::address address;
  if (endpoint) address = net::asio::ip::make_address(endpoint->host, ec);
  if (ec) return fail(Code::kBadRequest, "not ADDRESS:PORT: " + text);
  return net::Tcp::endpoint(address, endpoint->port);
}

}  // namespace

Result<Cluster> read_cluster(const std::string& env_file, client::TransportKind transport) {
  const auto settings = tools::read_settings(env_file);
  if (!settings) return std::unexpected(settings.error());
  Cluster cluster{.folder = tools::setting(*settings, "HONGYAN_DIR"),
                  .app_id = tools::setting(*settings, "HONGYAN_APP"),
                  .token_secret = tools::setting(*settings, "HONGYAN_TOKEN_SECRET"),
                  .api = tools::setting(*settings, "HONGYAN_API"),
                  .api_key = tools::setting(*settings, "HONGYAN_API_KEY"),
                  .pids = tools::setting(*settings, "HONGYAN_PIDS"),
                  .mysql = tools::setting(*settings, "HONGYAN_MYSQL_0"),
                  .mysql_password = tools::setting(*settings, "HONGYAN_MYSQL_PASSWORD")};
  const auto databases = tools::words(tools::setting(*settings, "HONGYAN_MYSQL_DATABASES"));
  if (!databases.empty()) cluster.mysql_database = databases.front();
  const std::string key = tools::gates_setting(protocol::to_string(transport));
  for (const auto& gate : tools::words(tools::setting(*settings, key))) {
    const auto endpoint = endpoint_of(gate);
    if (!endpoint) return fail(Code::kBadRequest, env_file + ": " + key + ": " + endpoint.error().message);
    cluster.gates.push_back(*endpoint);
  }
  if (cluster.gates.empty()) return fail(Code::kBadRequest, env_file + ": " + key + " is missing");
  if (transport != client::TransportKind::kTcp) {
    auto transports = client::make_transports(transport, tools::setting(*settings, "HONGYAN_CA"));
    if (!transports) return std::unexpected(transports.error());
    cluster.transports = std::move(*transports);
  }
  if (cluster.app_id.empty() || cluster.token_secret.empty()) {
    return fail(Code::kBadRequest,
                env_file + ": HONGYAN_APP and HONGYAN_TOKEN_SECRET are needed (dev-cluster up writes them)");
  }
  return cluster;
}

Result<std::string> sign_token(const Cluster& cluster, const std::string& uid) {
  const auth::JwtTokens tokens({{.app_id = cluster.app_id, .secret = cluster.token_secret}});
  return tokens.sign(cluster.app_id, uid, kTokenSeconds);
}

std::string random_run_id() { return fmt::format("{:016x}", random_id()); }

}  // namespace hongyan::bench
