// make_mysql_shard of shard.h, with the hooks that tests need.
#pragma once

#include <memory>

#include "logic/store/mysql/shard_writer.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

struct ShardHooks {
  CommitFaultHook commit_fault;
};

[[nodiscard]] std::unique_ptr<Shard> make_mysql_shard(std::size_t index, ShardConfig config, ShardDeps deps,
                                                      const ShardHooks& hooks);

}  // namespace hongyan::logic
