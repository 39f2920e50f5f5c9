#include "logic/app/mysql_config.h"

#include <array>
#include <set>
#include <string_view>

#include "common/config/schema.h"

namespace hongyan::logic {

namespace {

// Fills host and port or socket from "127.0.0.1:3306" or "unix:/path"; "" or what is wrong.
std::string parse_address(const std::string& text, ShardConfig& shard) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) {
    shard.socket = text.substr(kUnix.size());
    return shard.socket.empty() ? "the path of the socket is missing" : "";
  }
  const auto endpoint = config::parse_endpoint(text);
  if (!endpoint) return endpoint.error().message;
  shard.host = endpoint->host;
  shard.port = endpoint->port;
  return {};
}

// Every slot in exactly one shard.
std::string check_slots(const std::vector<ShardAddress>& shards) {
  std::array<bool, kSlotCount> placed{};
  std::set<std::string> names;
  for (const auto& shard : shards) {
    if (!names.insert(shard.name).second) return "two shards have the name " + shard.name;
    const auto slots = parse_slots(shard.slots);
    if (!slots) return "slots of shard " + shard.name + ": " + slots.error().message;
    for (const Slot slot : *slots) {
      if (placed[slot]) return "slot " + std::to_string(slot) + " is in two shards";
      placed[slot] = true;
    }
  }
  for (std::uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (!placed[slot]) return "slot " + std::to_string(slot) + " is in no shard";
  }
  return {};
}

}  // namespace

std::vector<ShardConfig> MysqlConfig::shard_configs() const {
  std::vector<ShardConfig> out;
  for (const auto& address : shards) {
    ShardConfig shard = of_all;
    shard.name = address.name;
    shard.database = address.database;
    shard.slots = address.slots;
    static_cast<void>(parse_address(address.address, shard));  // checked when it was loaded
    out.push_back(std::move(shard));
  }
  return out;
}

void bind(config::Schema& schema, MysqlConfig& config) {
  ShardConfig& mysql = config.of_all;
  schema.section("mysql", "What all shards share.");
  schema.value("mysql.user", mysql.user, "User name.").required();
  schema.secret("mysql.password", mysql.password, "Password.");
  schema.value("mysql.map_version", mysql.map_version, "Version of the slot map; each shard holds the same.");
  schema.value("mysql.writers", mysql.writers, "Writer connections a shard.").range(1, 16);
  schema.value("mysql.readers", mysql.readers, "Reader connections a shard.").range(1, 64);
  schema.value("mysql.batch_rows", mysql.batch_rows, "Most rows in one transaction.").range(1, 512);
  schema.bytes("mysql.batch_bytes", mysql.batch_bytes, "Most bytes in one transaction.")
      .range(1 << 20, 12 << 20);
  schema
      .bytes("mysql.queue_bytes", mysql.queue_bytes,
             "Most bytes waiting for one writer; past it: UNAVAILABLE.")
      .range(1 << 20, std::int64_t{16} << 30);
  schema.value("mysql.connect_timeout", mysql.connect_timeout, "For a connection to open.")
      .range(Milliseconds(1000), Milliseconds(60'000));
  schema
      .value("mysql.read_timeout", mysql.read_timeout,
             "For an answer; then the connection is given up. Longer than the 1 s for which a "
             "statement waits for a lock: a lock is no dead server.")
      .range(Milliseconds(2000), Milliseconds(600'000));
  schema
      .tables<ShardAddress>(
          "mysql.shards", "One table a shard.",
          [](config::Schema& s, ShardAddress& shard) {
            s.value("name", shard.name, "Name in logs, metrics and health.").required();
            s.value("address", shard.address, "\"host:port\" or \"unix:/path\".").required();
            s.value("database", shard.database, "Name of the database.").required();
            s.value("slots", shard.slots, "Slots it holds: \"0-1023\" or \"0-99,200-299\".").required();
            s.check("address", [&shard] {
              ShardConfig ignored;
              return parse_address(shard.address, ignored);
            });
          },
          config.shards)
      .required();
  schema.check("mysql.shards", [&config] { return check_slots(config.shards); });
}

}  // namespace hongyan::logic
