// Configuration of the logic daemon.
#pragma once

#include <string>
#include <vector>

#include "common/auth/token.h"
#include "common/config/common_config.h"
#include "common/config/schema.h"
#include "logic/api/server_api.h"
#include "logic/kafka/config.h"
#include "logic/message/upload_sink.h"
#include "logic/redis/client.h"
#include "logic/store/shard.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// A key that checks an app's tokens.
struct TokenKeyConfig {
  std::string kid;
  std::string algorithm = "HS256";
  std::string key;  // HS256: the secret; RS256, ES256: the public key, PEM

  [[nodiscard]] auth::TokenKey of(const std::string& app_id) const;
};

// A key of the server API.
struct ApiKeyConfig {
  std::string sha256;
  std::vector<std::string> rights;
};

// One app (tenant).
struct AppConfig {
  std::string id;
  std::string token_secret;          // HS256, without kid
  std::vector<TokenKeyConfig> keys;  // further keys
  std::vector<ApiKeyConfig> api_keys;
  std::vector<std::string> upload_destinations;  // where C2S may go
};

struct ShardAddress {
  std::string name;
  std::string address;  // "127.0.0.1:3306" or "unix:/path"
  std::string database;
  std::string slots;
};

struct LogicConfig {
  config::CommonConfig common;
  std::string name = "logic-1";
  std::uint32_t node = 1;
  std::uint32_t threads = 2;
  PipelineConfig pipeline;
  config::Endpoint link_listen{.host = "0.0.0.0", .port = 7100};
  std::string advertise;  // host or host:port told to gates; empty: those of link_listen
  config::Endpoint api_listen{.host = "127.0.0.1", .port = 7180};
  ApiLimits api_limits;
  config::Endpoint redis{.host = "127.0.0.1", .port = 6379};
  std::string redis_password;
  ShardConfig mysql;  // what all shards share
  std::vector<ShardAddress> shards;
  KafkaConfig kafka;
  std::vector<AppConfig> apps;

  // Every shard whole. Valid once the configuration was loaded.
  [[nodiscard]] std::vector<ShardConfig> shard_configs() const;
  [[nodiscard]] std::vector<auth::TokenKey> token_keys() const;
  [[nodiscard]] UploadDestinations upload_destinations() const;
  // Each name once.
  [[nodiscard]] std::vector<std::string> destination_names() const;
  [[nodiscard]] std::vector<ApiKey> api_keys() const;
};

// The configuration outlives the schema.
void bind(config::Schema& schema, LogicConfig& config);

}  // namespace hongyan::logic
