// Configuration of the logic daemon: that of its parts, and what is told to no single one of them.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/endpoint.h"
#include "common/config/common_config.h"
#include "common/link/link_server.h"
#include "logic/api/config.h"
#include "logic/app/apps_config.h"
#include "logic/app/mysql_config.h"
#include "logic/group/config.h"
#include "logic/kafka/config.h"
#include "logic/redis/config.h"
#include "logic/user/config.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

struct LogicConfig {
  config::CommonConfig common;

  // [logic]
  std::string name = "logic-1";
  std::uint32_t node = 1;
  std::uint32_t threads = 2;
  bool share_slots = false;

  // [link]
  Endpoint link_listen{.host = "127.0.0.1", .port = 7100};
  std::string advertise;  // host or host:port told to gates; empty: those of link_listen
  link::LinkServerOptions links;

  ApiConfig api;
  RedisConfig redis;
  MysqlConfig mysql;
  KafkaConfig kafka;
  PipelineConfig pipeline;
  GroupConfig group;
  AppsConfig apps;
};

// The configuration outlives the schema.
void bind(config::Schema& schema, LogicConfig& config);

}  // namespace hongyan::logic
