// The cluster that an end-to-end test runs against, as tests/support/with-cluster describes it in the
// environment.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/endpoint.h"
#include "common/protocol/transport_kind.h"

namespace hongyan::tools {

// Memory says nothing under a sanitizer: what is freed stays, and all of it is shadowed.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Reads HONGYAN_… from the environment; a missing variable fails the test program at once. Any thread.
class Cluster {
 public:
  [[nodiscard]] static const Cluster& get();

  [[nodiscard]] const std::vector<Endpoint>& gates() const { return gates_; }
  [[nodiscard]] std::vector<Endpoint> gates(protocol::TransportKind kind) const;
  [[nodiscard]] const std::string& iplist() const { return iplist_; }
  [[nodiscard]] const std::string& api() const { return api_; }
  [[nodiscard]] const std::string& app() const { return app_; }
  [[nodiscard]] const std::string& api_key() const { return api_key_; }

  // `dev-cluster VERB NAME`: kill (-9) and restart. Waits for the verb to end; true when it succeeded.
  bool kill(std::string_view name) const { return verb("kill", name); }
  bool restart(std::string_view name) const { return verb("restart", name); }

  // Every member's pid by its name; 0: does not run. Empty when dev-cluster failed.
  [[nodiscard]] std::map<std::string, int> members() const;

  // A command on Redis; its first line of output.
  [[nodiscard]] std::string redis(const std::string& command) const;
  // Statements run on the database of one shard as the daemons' user; rows as lines, columns by tabs.
  [[nodiscard]] std::string sql(std::size_t shard, const std::string& statement) const;
  // The same as MariaDB's root, without a database; whether it succeeded.
  [[nodiscard]] bool admin_sql(std::size_t shard, const std::string& statement) const;
  [[nodiscard]] std::size_t shards() const;
  // The member that holds the shard: "mysql-1".
  [[nodiscard]] std::string server_of(std::size_t shard) const;
  // A token for the user from the server API. Blocks.
  [[nodiscard]] std::string token(const std::string& uid, std::int64_t ttl_seconds = 3600) const;
  // A line of DIR/env; "" when it has none.
  [[nodiscard]] std::string variable(const std::string& name) const;

 private:
  Cluster();
  [[nodiscard]] bool verb(std::string_view verb, std::string_view name) const;
  // The mariadb client's command line for a statement on the server of a shard.
  [[nodiscard]] static std::string mariadb(std::size_t shard, const std::string& user,
                                           const std::string& database, const std::string& statement);

  std::vector<Endpoint> gates_;
  std::string iplist_, api_, api_key_, app_, redis_, dir_, dev_cluster_;
};

// A name that no other test and no other run uses.
[[nodiscard]] std::string unique(std::string_view prefix);

// Runs a shell command; its standard output. status: its exit status.
[[nodiscard]] std::string run_command(const std::string& command, int& status);

// Looks every 10 ms until it holds or the deadline has passed.
[[nodiscard]] bool eventually(const std::function<bool()>& holds,
                              std::chrono::milliseconds deadline = std::chrono::seconds(20));

}  // namespace hongyan::tools
