#include "logic/store/mysql/schema/shard_check.h"

#include <fmt/format.h>

#include <map>

#include "logic/store/mysql/schema/schema.h"
#include "logic/store/slot_ranges.h"

namespace hongyan::logic {

namespace {

using Settings = std::map<std::string, std::string, std::less<>>;

// Besides a full batch one more row, the largest there is, must fit.
constexpr std::size_t kPacketReserve = 2 << 20;

Result<Settings> read_settings(MysqlConnection& connection) {
  Settings settings;
  auto done = connection.query(
      "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', "
      "'sync_binlog', "
      "'log_bin', 'wsrep_on', 'version', 'max_allowed_packet', 'read_only')",
      [&](const TextRow& row) { settings[std::string(row.text(0))] = row.text(1); });
  if (!done) return std::unexpected(to_operator_error(done.error()));
  return settings;
}

std::string setting(const Settings& settings, std::string_view name) {
  const auto found = settings.find(name);
  return found == settings.end() ? "unknown" : found->second;
}

Status check_settings(const Settings& settings, const ShardConfig& config) {
  if (setting(settings, "version").contains("TiDB")) {
    return fail(Code::kFailedPrecondition,
                "TiDB is not supported: leases need the row locks of a single InnoDB primary");
  }
  if (setting(settings, "wsrep_on") == "ON") {
    return fail(Code::kFailedPrecondition,
                "Galera (wsrep_on) is not supported: leases need a single InnoDB primary");
  }
  if (const std::string flush = setting(settings, "innodb_flush_log_at_trx_commit"); flush != "1") {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("innodb_flush_log_at_trx_commit is {}, must be 1: acknowledged messages could be lost",
                    flush));
  }
  // Whatever this user's rights: what a replica takes by itself is lost with the next switch.
  if (const std::string read_only = setting(settings, "read_only"); read_only != "OFF") {
    return fail(Code::kUnavailable, fmt::format("the server is read-only (read_only is {})", read_only));
  }
  const std::string packet = setting(settings, "max_allowed_packet");
  const std::size_t needed = config.batch_bytes + kPacketReserve;
  if (std::strtoull(packet.c_str(), nullptr, 10) < needed) {
    return fail(Code::kFailedPrecondition,
                fmt::format("max_allowed_packet is {}, must be at least {}", packet, needed));
  }
  return {};
}

Status check_schema(MysqlConnection& connection) {
  const auto applied = applied_schema(connection);
  if (!applied) return std::unexpected(applied.error());
  const std::uint32_t version = applied->empty() ? 0 : applied->back().version;
  const std::uint32_t needed = newest_schema_version();
  if (version < needed) {
    return fail(Code::kFailedPrecondition,
                fmt::format("schema version is {}, this program needs {}: run hongyanctl schema apply",
                            version, needed));
  }
  // One newer is what an upgrade needs: the schema goes first, then one node after the other.
  if (version > needed + 1) {
    return fail(Code::kFailedPrecondition,
                fmt::format("schema version is {}, this program knows {} and takes {} at most: it is too old",
                            version, needed, needed + 1));
  }
  return {};
}

Status check_slot_map(MysqlConnection& connection, const ShardConfig& config) {
  const auto wanted = parse_slots(config.slots);
  if (!wanted) return std::unexpected(wanted.error());
  const auto map = read_slot_map(connection);
  if (!map) {
    const bool absent = map.error().code == Code::kNotFound;
    return fail(absent ? Code::kFailedPrecondition : map.error().code, map.error().message);
  }
  const std::string text = format_slots(*wanted);
  if (map->slots != text || map->version != config.map_version) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("the database holds slots {} of map version {}, the configuration says {} of version {}",
                    map->slots, map->version, text, config.map_version));
  }
  return {};
}

std::unexpected<Error> with_name(const ShardConfig& config, Error error) {
  error.message = fmt::format("shard {} ({}): {}", config.name, describe(endpoint_of(config)), error.message);
  return std::unexpected(std::move(error));
}

}  // namespace

MysqlEndpoint endpoint_of(const ShardConfig& config) {
  return {.host = config.host,
          .port = config.port,
          .socket = config.socket,
          .user = config.user,
          .password = config.password,
          .database = config.database,
          .connect_timeout = config.connect_timeout,
          .io_timeout = config.read_timeout};
}

Result<std::string> check_server(MysqlConnection& connection, const ShardConfig& config) {
  const auto settings = read_settings(connection);
  if (!settings) return with_name(config, settings.error());
  if (auto good = check_settings(*settings, config); !good) return with_name(config, good.error());
  if (auto good = check_schema(connection); !good) return with_name(config, good.error());
  if (auto good = check_slot_map(connection, config); !good) return with_name(config, good.error());
  std::string text;
  for (const char* name : {"version", "innodb_flush_log_at_trx_commit", "innodb_doublewrite", "log_bin",
                           "sync_binlog", "max_allowed_packet", "read_only"}) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, setting(*settings, name));
  }
  return text;
}

DbResult<std::unique_ptr<MysqlConnection>> open_checked(const ShardConfig& config) {
  auto connection = MysqlConnection::open(endpoint_of(config));
  if (!connection) return std::unexpected(connection.error());
  if (auto good = check_slot_map(**connection, config); !good) {
    return std::unexpected(DbError{.fault = DbFault::kUnable, .code = 0, .message = good.error().message});
  }
  return std::move(*connection);
}

Status check_shard(const ShardConfig& config) {
  const MysqlThread thread;
  auto connection = MysqlConnection::open(endpoint_of(config));
  if (!connection) return with_name(config, to_operator_error(connection.error()));
  auto settings = check_server(**connection, config);
  if (!settings) return std::unexpected(settings.error());
  return {};
}

}  // namespace hongyan::logic
