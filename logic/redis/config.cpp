#include "logic/redis/config.h"

#include "common/config/schema.h"

namespace hongyan::logic {

void bind(config::Schema& schema, RedisConfig& config) {
  schema.section("redis", "Routes and presence: a cache.");
  schema.value("redis.address", config.address, "An address, not a name, and a port.");
  schema.secret("redis.password", config.password, "Password, when Redis asks for one.");
}

}  // namespace hongyan::logic
