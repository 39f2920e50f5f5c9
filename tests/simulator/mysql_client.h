// From a connection of the code under test to the simulator's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/sql/fence.h"
#include "tests/simulator/database.h"

namespace hongyan::simulator {

[[nodiscard]] DatabaseClient& client_of(const logic::MysqlConnection& connection);

using StepError = std::optional<logic::DbError>;

[[nodiscard]] inline std::string node_lock(logic::NodeNumber node) { return fmt::format("im_node {}", node); }
inline constexpr const char* kLeasesLock = "im_slot";

[[nodiscard]] inline logic::DbError duplicate() {
  return {.fault = logic::DbFault::kDuplicate, .code = 1062, .message = "duplicate"};
}

// One statement that reads: `read` fills what it is given, which the caller then has.
template <typename Out, typename Read>
[[nodiscard]] logic::DbResult<Out> ask(const logic::MysqlConnection& connection, std::vector<Lock> locks,
                                       Read read) {
  const auto out = std::make_shared<Out>();
  auto done =
      client_of(connection)
          .call({.locks = std::move(locks), .run = [out, read = std::move(read)](ServerSession& session) {
                   read(session, *out);
                   return StepError();
                 }});
  if (!done) return std::unexpected(done.error());
  return std::move(*out);
}

// The same of one that changes something.
template <typename Out, typename Change>
[[nodiscard]] logic::DbResult<Out> change(const logic::MysqlConnection& connection, std::vector<Lock> locks,
                                          Change change) {
  const auto out = std::make_shared<Out>();
  auto done = client_of(connection)
                  .call({.locks = std::move(locks),
                         .run = [out, change = std::move(change)](ServerSession& session) -> StepError {
                           return change(session, *out);
                         },
                         .writes = true});
  if (!done) return std::unexpected(done.error());
  return std::move(*out);
}

// Whether the node's row is as the key says.
[[nodiscard]] inline bool fence_holds(ServerSession& session, const logic::FenceKey& key) {
  const auto& nodes = session.tables().nodes;
  const auto node = nodes.find(key.node);
  if (node == nodes.end() || key.epoch == 0 || node->second.epoch != key.epoch) return false;
  return node->second.barrier == key.barrier || session.database().mutated(Mutation::kFenceWithoutBarrier);
}

}  // namespace hongyan::simulator
