#include "logic/app/config.h"

#include <array>
#include <set>

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

void bind_pipeline(config::Schema& schema, PipelineConfig& pipeline) {
  schema.section("pipeline", "How messages go from sender to receiver.");
  schema
      .value("pipeline.accept_deadline", pipeline.accept_deadline,
             "A send that storage has not begun by then is refused with UNAVAILABLE.")
      .range(Milliseconds(100), Milliseconds(60'000));
  schema
      .value("pipeline.ack_timeout", pipeline.ack_timeout,
             "A push not acknowledged for so long goes out once more.")
      .range(Milliseconds(100), Milliseconds(600'000));
  schema
      .value("pipeline.pending_after", pipeline.pending_after,
             "Fan-out unfinished for so long is noted in im_pending.")
      .range(Milliseconds(1000), Milliseconds(600'000));
  schema
      .value("pipeline.gate_grace", pipeline.gate_grace,
             "Sessions of a gate whose link broke are kept so long; it announces them again when it is back.")
      .range(Milliseconds(1000), Milliseconds(600'000));
  schema
      .value("pipeline.heartbeat_seconds", pipeline.heartbeat_seconds,
             "How often clients say something, as they are told at login. gate.heartbeat must not be less.")
      .range(5, 3600);
  schema
      .bytes(
          "pipeline.max_unfinished_bytes", pipeline.max_unfinished_bytes,
          "Accepted messages not yet fanned out, a slot thread; past it sends are refused with UNAVAILABLE.")
      .range(1 << 20, std::int64_t{64} << 30);
  schema
      .value("pipeline.max_sends_of_user", pipeline.max_sends_of_user,
             "Unanswered sends of one user; past it sends are refused with UNAVAILABLE.")
      .range(1, 1'000'000);
  schema
      .value("pipeline.max_sends_of_service", pipeline.max_sends_of_service,
             "The same for one sender of the server API's messages.")
      .range(1, 1'000'000);
  schema
      .bytes("pipeline.max_lane_bytes", pipeline.max_lane_bytes,
             "Contents that one lane (source slot to destination slot) keeps in memory; beyond it they are "
             "read again.")
      .range(64 << 10, 1 << 30);
  schema
      .value("pipeline.push_window", pipeline.push_window,
             "Unacknowledged pushes of a session; past it the client is told to pull.")
      .range(1, 100'000);
  schema
      .bytes("pipeline.max_retained_push_bytes", pipeline.max_retained_push_bytes,
             "Bodies kept for the one resend, a slot thread; past it the resend is a SYNC_NOTIFY.")
      .range(1 << 20, std::int64_t{64} << 30);
  schema.bytes("pipeline.pull_bytes", pipeline.pull_bytes, "Messages in one page of a pull.")
      .range(1 << 10, 512 << 10);
  schema
      .value("pipeline.cursor_flush", pipeline.cursor_flush,
             "What devices acknowledged is written so often; kill -9 forgets at most so much.")
      .range(Milliseconds(100), Milliseconds(600'000));
  schema
      .value("pipeline.users_in_memory", pipeline.users_in_memory,
             "Users that a slot thread remembers; online users count, and always stay.")
      .range(1000, 100'000'000);
}

void bind_group(config::Schema& schema, GroupConfig& group) {
  schema.section("group", "Groups and their limits.");
  schema
      .value(
          "group.large_threshold", group.large_threshold,
          "A group with more members keeps each message once, from then on; smaller ones have a row for each "
          "member.")
      .range(1, 1'000'000);
  schema.value("group.max_members", group.max_members, "Members of a group.").range(1, 1'000'000);
  schema.value("group.max_members_of_call", group.max_members_of_call, "Members named in one command.")
      .range(1, 10'000);
  schema.value("group.max_name_bytes", group.max_name_bytes, "Bytes of a group's name.").range(1, 256);
  schema
      .value("group.max_announcement_bytes", group.max_announcement_bytes, "Bytes of a group's announcement.")
      .range(0, 65'535);
  schema.value("group.max_mentions", group.max_mentions, "Users that one message mentions.").range(0, 400);
  schema
      .value("group.max_groups_of_user", group.max_groups_of_user,
             "Who is in as many groups creates no more of them.")
      .range(1, 1'000'000);
  schema
      .value("group.members_in_memory", group.members_in_memory,
             "Members of groups that a slot thread remembers.")
      .range(1000, 1'000'000'000);
}

void bind_token_key(config::Schema& schema, TokenKeyConfig& key) {
  schema.value("kid", key.kid, "Name of the key, as tokens carry it.").length(0, 128);
  schema.value("algorithm", key.algorithm, "HS256, RS256 or ES256.").one_of({"HS256", "RS256", "ES256"});
  schema.secret("key", key.key, "HS256: the secret. RS256, ES256: the public key, PEM.").required();
  schema.check("key", [&key] {
    const auto fits = auth::check_token_key(key.of({}));
    return fits ? std::string() : fits.error().message;
  });
}

// Some key, and no two that a token could mean.
std::string check_keys(const AppConfig& app) {
  std::set<std::string> kids;
  if (!app.token_secret.empty()) kids.insert("");
  for (const auto& key : app.keys) {
    if (!kids.insert(key.kid).second) return "two keys have the kid \"" + key.kid + "\"";
  }
  return kids.empty() ? "has neither token_secret nor keys" : "";
}

std::string check_destinations(const AppConfig& app) {
  constexpr std::size_t kMaxDestination = 64;
  for (const auto& name : app.upload_destinations) {
    if (name.empty() || name.size() > kMaxDestination) return "a destination has 1 to 64 bytes";
    if (auto wrong = check_topic_part(name); !wrong.empty()) return wrong;
  }
  return {};
}

void bind_api_key(config::Schema& schema, ApiKeyConfig& key) {
  schema.value("sha256", key.sha256, "SHA-256 of the key, in lower-case hex.").required();
  schema.check("sha256", [&key] {
    const bool is_digest =
        key.sha256.size() == 64 && key.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
    return std::string(is_digest ? "" : "is not 64 lower-case hex digits");
  });
  schema.list(
      "rights", key.rights,
      "What the key may do: \"messages\" (send), \"tokens\" (make), \"presence\" (see who is online), "
      "\"kick\" (close sessions), \"users\" (register, look up), \"ban\", \"groups\".");
  schema.check("rights", [&key] {
    for (const auto& name : key.rights) {
      const auto right = parse_right(name);
      if (!right) return right.error().message;
    }
    return std::string(key.rights.empty() ? "names no right: the key would be of no use" : "");
  });
}

// A key tells its app.
std::string check_api_keys(const std::vector<AppConfig>& apps) {
  std::set<std::string> digests;
  for (const auto& app : apps) {
    for (const auto& key : app.api_keys) {
      if (!digests.insert(key.sha256).second) return "two api_keys have the same sha256";
    }
  }
  return {};
}

void bind_api(config::Schema& schema, LogicConfig& config) {
  ApiLimits& limits = config.api_limits;
  schema.section("api", "The server API for business services.");
  schema.value("api.listen", config.api_listen, "Where it listens; \"\" turns it off.");
  schema.bytes("api.max_body_bytes", limits.max_body_bytes, "Largest body of a call.")
      .range(4 << 10, 64 << 20);
  schema
      .bytes(
          "api.max_content_bytes", limits.max_content_bytes,
          "Largest content of a message: 1 KiB less than gate.max_body_bytes, or no gate could pass it on.")
      .range(1 << 10, (1 << 20) - (2 << 10));
  schema.value("api.max_targets", limits.max_targets, "Most users in one call.").range(1, 10'000);
  schema
      .value("api.calls_per_second", limits.calls_per_second,
             "Of one key on this node, with bursts of a second's worth; past it RATE_LIMITED. 0: no limit.")
      .range(0.0, 1e9);
}

void bind_mysql(config::Schema& schema, LogicConfig& config) {
  ShardConfig& mysql = config.mysql;
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

}  // namespace

std::vector<ShardConfig> LogicConfig::shard_configs() const {
  std::vector<ShardConfig> out;
  for (const auto& address : shards) {
    ShardConfig shard = mysql;
    shard.name = address.name;
    shard.database = address.database;
    shard.slots = address.slots;
    static_cast<void>(parse_address(address.address, shard));  // checked when it was loaded
    out.push_back(std::move(shard));
  }
  return out;
}

auth::TokenKey TokenKeyConfig::of(const std::string& app_id) const {
  return {.app_id = app_id,
          .secret = key,
          .kid = kid,
          .algorithm = auth::parse_token_algorithm(algorithm).value_or(auth::TokenAlgorithm::kHs256)};
}

std::vector<auth::TokenKey> LogicConfig::token_keys() const {
  std::vector<auth::TokenKey> out;
  for (const auto& app : apps) {
    if (!app.token_secret.empty()) out.push_back({.app_id = app.id, .secret = app.token_secret});
    for (const auto& key : app.keys) out.push_back(key.of(app.id));
  }
  return out;
}

UploadDestinations LogicConfig::upload_destinations() const {
  UploadDestinations out;
  for (const auto& app : apps) {
    for (const auto& name : app.upload_destinations) out.allow(app.id, name);
  }
  return out;
}

std::vector<ApiKey> LogicConfig::api_keys() const {
  std::vector<ApiKey> out;
  for (const auto& app : apps) {
    for (const auto& key : app.api_keys) {
      ApiKey made{.app_id = app.id, .sha256 = key.sha256, .rights = {}};
      for (const auto& name : key.rights)
        made.rights.push_back(*parse_right(name));  // checked when it was loaded
      out.push_back(std::move(made));
    }
  }
  return out;
}

std::vector<std::string> LogicConfig::destination_names() const {
  std::set<std::string> names;
  for (const auto& app : apps) names.insert(app.upload_destinations.begin(), app.upload_destinations.end());
  return {names.begin(), names.end()};
}

void bind(config::Schema& schema, LogicConfig& config) {
  config::bind_common(schema, config.common, {.host = "127.0.0.1", .port = 9101});
  schema.section("logic", "This node.");
  schema.value("logic.name", config.name, "Name in the cluster.").required().length(1, 64);
  schema
      .value("logic.node", config.node,
             "Number in the cluster, unique among logic nodes; part of message ids.")
      .range(0, kMaxNodeNumber);
  schema.value("logic.threads", config.threads, "Slot threads.").range(1, 64);
  schema.section("link", "Links from gates and logic nodes.");
  schema.value("link.listen", config.link_listen, "Where gates connect.");
  schema.value("link.advertise", config.advertise,
               "Host, or host:port, told to gates and other nodes; empty: those of link.listen.");
  schema.check("link.advertise", [&config] {
    if (const auto endpoint = config::parse_advertised(config.advertise); !endpoint)
      return endpoint.error().message;
    return config::unreachable_advertise(config.link_listen, config.advertise, config.common.cluster);
  });
  bind_api(schema, config);
  schema.section("redis", "Routes and presence: a cache.");
  schema.value("redis.address", config.redis, "An address, not a name, and a port.");
  schema.secret("redis.password", config.redis_password, "Password, when Redis asks for one.");
  bind_mysql(schema, config);
  bind_kafka(schema, config.kafka);
  bind_pipeline(schema, config.pipeline);
  bind_group(schema, config.pipeline.group);
  schema
      .tables<AppConfig>(
          "apps", "One table an app (tenant); apps share nothing.",
          [](config::Schema& s, AppConfig& app) {
            s.value("id", app.id, "app_id of clients.").required().length(1, 64);
            s.secret("token_secret", app.token_secret,
                     "Key of the tokens that POST /v1/tokens signs (JWT, HS256).")
                .length(16, 1024);
            s.tables<TokenKeyConfig>(
                "keys", "Further keys of the app's tokens, for an account system that signs them.",
                bind_token_key, app.keys);
            s.check("id", [&app] { return check_keys(app); });
            s.tables<ApiKeyConfig>("api_keys", "Keys of the server API.", bind_api_key, app.api_keys);
            s.list("upload_destinations", app.upload_destinations,
                   "Where users may upload to (C2S); each makes a topic with kafka.topic_prefix.");
            s.check("upload_destinations", [&app] { return check_destinations(app); });
          },
          config.apps)
      .required();
  schema.check("apps", [&config] { return check_api_keys(config.apps); });
}

}  // namespace hongyan::logic
