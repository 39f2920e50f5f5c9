// What must hold of a shard's server and database before anything is written to it.
#pragma once

#include <string>

#include "common/base/result.h"
#include "logic/store/mysql/connection/connection.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

[[nodiscard]] MysqlEndpoint endpoint_of(const ShardConfig& config);

// On a fresh connection: flush settings, kind of server, packet size, schema version, slot map.
// kFailedPrecondition is final; kUnavailable: could not be asked. Answers the settings, for logs.
[[nodiscard]] Result<std::string> check_server(MysqlConnection& connection, const ShardConfig& config);

// Opens a connection and checks the slot map: what every connection of a shard begins with.
[[nodiscard]] DbResult<std::unique_ptr<MysqlConnection>> open_checked(const ShardConfig& config);

}  // namespace hongyan::logic
