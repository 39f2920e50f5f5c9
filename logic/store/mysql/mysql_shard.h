// make_mysql_shard of shard.h, with the hooks that tests need.
#pragma once

#include <memory>

#include "logic/store/mysql/fence/fenced_connection.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

[[nodiscard]] std::unique_ptr<Shard> make_mysql_shard(std::size_t index, ShardConfig config, ShardDeps deps,
                                                      const WriteHooks& hooks);

}  // namespace hongyan::logic
