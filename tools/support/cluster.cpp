#include "tools/support/cluster.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "common/base/random.h"
#include "common/http/client.h"
#include "common/net/event_loop.h"
#include "tools/support/cluster_env.h"

namespace hongyan::tools {

namespace {

constexpr int kTooManyCalls = 429;
constexpr std::chrono::milliseconds kCallsAreAllowedAgain{20};

std::string required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    fmt::print(stderr, "{} is not set: run this by tests/support/with-cluster\n", name);
    std::exit(1);
  }
  return value;
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

}  // namespace

const Cluster& Cluster::get() {
  static const Cluster cluster;
  return cluster;
}

Cluster::Cluster()
    : iplist_(required("HONGYAN_IPLIST")),
      api_(required("HONGYAN_API")),
      api_key_(required("HONGYAN_API_KEY")),
      app_(required("HONGYAN_APP")),
      redis_(required("HONGYAN_REDIS")),
      dir_(required("HONGYAN_DIR")),
      dev_cluster_(required("HONGYAN_DEV_CLUSTER")) {
  gates_ = gates(protocol::TransportKind::kTcp);
}

std::vector<Endpoint> Cluster::gates(protocol::TransportKind kind) const {
  std::vector<Endpoint> found;
  std::istringstream gates(required(gates_setting(protocol::to_string(kind)).c_str()));
  for (std::string gate; gates >> gate;) found.push_back(parse_endpoint(gate).value());
  return found;
}

std::string run_command(const std::string& command, int& status) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) std::abort();
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), size);
  const int raw = pclose(pipe);
  status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
  return out;
}

bool Cluster::verb(std::string_view verb, std::string_view name) const {
  int status = 0;
  const auto out = run_command(
      fmt::format("{} {} {} --dir {} 2>&1", shell_quoted(dev_cluster_), verb, name, shell_quoted(dir_)),
      status);
  if (status != 0) fmt::print(stderr, "dev-cluster {} {} failed: {}\n", verb, name, out);
  return status == 0;
}

std::string Cluster::redis(const std::string& command) const {
  const auto endpoint = parse_endpoint(redis_).value();
  int status = 0;
  auto out =
      run_command(fmt::format("redis-cli -h {} -p {} {}", endpoint.host, endpoint.port, command), status);
  return out.substr(0, out.find('\n'));
}

std::string Cluster::variable(const std::string& name) const {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

std::map<std::string, int> Cluster::members() const {
  int status = 0;
  const auto out = run_command(
      fmt::format("{} status --json --dir {}", shell_quoted(dev_cluster_), shell_quoted(dir_)), status);
  const auto json = nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
  std::map<std::string, int> members;
  if (!json.is_object() || !json.contains("members")) return members;
  for (const auto& row : json["members"])
    members[row["name"].get<std::string>()] = row["pid"].is_number() ? row["pid"].get<int>() : 0;
  return members;
}

std::string Cluster::mariadb(std::size_t shard, const std::string& user, const std::string& database,
                             const std::string& statement) {
  const std::string address = required(fmt::format("HONGYAN_MYSQL_{}", shard).c_str());
  const auto endpoint = parse_endpoint(address);
  const std::string where = endpoint ? fmt::format("-h {} -P {}", endpoint->host, endpoint->port)
                                     : fmt::format("-S {}", shell_quoted(address));
  return fmt::format("MYSQL_PWD={} mariadb --no-defaults -N -B {} -u {} {} -e {}",
                     shell_quoted(required("HONGYAN_MYSQL_PASSWORD")), where, user, database,
                     shell_quoted(statement));
}

std::string Cluster::sql(std::size_t shard, const std::string& statement) const {
  std::istringstream names(required("HONGYAN_MYSQL_DATABASES"));
  std::string database;
  for (std::size_t i = 0; i <= shard; ++i) names >> database;
  int status = 0;
  auto out = run_command(mariadb(shard, required("HONGYAN_MYSQL_USER"), database, statement), status);
  if (status != 0) fmt::print(stderr, "sql failed: {}\n", statement);
  return out;
}

bool Cluster::admin_sql(std::size_t shard, const std::string& statement) const {
  int status = 0;
  static_cast<void>(run_command(mariadb(shard, "root", "", statement), status));
  if (status != 0) fmt::print(stderr, "sql failed: {}\n", statement);
  return status == 0;
}

std::size_t Cluster::shards() const {
  std::istringstream names(required("HONGYAN_MYSQL_DATABASES"));
  std::size_t count = 0;
  for (std::string name; names >> name;) ++count;
  return count;
}

std::string Cluster::server_of(std::size_t shard) const {
  std::set<std::string> before;  // servers come in the order of their shards
  for (std::size_t i = 0; i <= shard; ++i)
    before.insert(required(fmt::format("HONGYAN_MYSQL_{}", i).c_str()));
  return fmt::format("mysql-{}", before.size());
}

std::string Cluster::token(const std::string& uid, std::int64_t ttl_seconds) const {
  net::EventLoop loop("token");
  loop.start();
  std::promise<std::string> promise;
  auto future = promise.get_future();
  const nlohmann::json body = {{"uid", uid}, {"ttl_seconds", ttl_seconds}};
  loop.spawn("token",
             [](std::promise<std::string>* to, std::string url, std::string text,
                std::string key) -> net::Awaitable<> {
               const http::Fields headers = {{"Authorization", "Bearer " + key}};
               auto response = co_await http::post(url, text, headers);
               while (response && response->status == kTooManyCalls) {
                 co_await net::sleep_for(kCallsAreAllowedAgain);
                 response = co_await http::post(url, text, headers);
               }
               std::string token;
               if (response && response->status == 200)
                 token = nlohmann::json::parse(response->body).at("token");
               to->set_value(token);
             }(&promise, api_ + "/v1/tokens", body.dump(), api_key_));
  return future.get();
}

std::string unique(std::string_view prefix) {
  return fmt::format("{}-{}", prefix, random_id_text().substr(0, 13));
}

bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace hongyan::tools
