// [mysql] of logic's configuration: the shards.
#pragma once

#include <string>
#include <vector>

#include "logic/store/shard.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

struct ShardAddress {
  std::string name;
  std::string address;  // "127.0.0.1:3306" or "unix:/path"
  std::string database;
  std::string slots;
};

struct MysqlConfig {
  ShardConfig of_all;  // what all shards share
  std::vector<ShardAddress> shards;

  // Every shard whole. Valid once the configuration was loaded.
  [[nodiscard]] std::vector<ShardConfig> shard_configs() const;
};

// The configuration outlives the schema.
void bind(config::Schema& schema, MysqlConfig& config);

}  // namespace hongyan::logic
