// The connection of a thread that writes to a shard, and all that such a thread does in the same way: opening
// it, writing under the fence, telling what became of a write.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/fence/server_trouble.h"
#include "logic/store/mysql/sql/fence.h"
#include "logic/store/mysql/sql/parked.h"
#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/mysql/state/tenure.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// For tests; empty in production. On the thread that writes.
struct WriteHooks {
  std::function<CommitFault()> commit_fault = {};  // asked before each write
  std::function<void()> before_write = {};         // between a write's tenure and its first statement
};

// What became of a write.
struct Written {
  enum class Outcome : std::uint8_t {
    kCommitted,
    kNotCommitted,  // surely, and later neither; see `error`
    kUnknown,       // perhaps: settle() before anything else is said or written of it
    kMoved,         // not committed: a barrier was passed meanwhile. `tenure` is what the node holds now
    kFenced,        // not committed: another process raised the epoch. The keeper knows
  };
  Outcome outcome = Outcome::kCommitted;
  DbError error = {};
  TenurePtr tenure = {};
};

// Owned and used by one thread, which holds a MysqlThread; what the constructor takes outlives it. Nothing is
// tried again here but opening the connection, with the next call that wants it, and not at once after a
// failure. Each error is counted in the log and leaves no transaction open: a connection that was lost, or
// does not roll back, is dropped.
class FencedConnection {
 public:
  using Open = std::function<DbResult<std::unique_ptr<MysqlConnection>>()>;
  struct Deps {
    const ShardConfig& config;
    std::uint32_t node;
    ShardState& state;
    WriteHooks hooks = {};
    Open open = {};                                  // empty: as every connection of a shard begins
    Milliseconds connect_again = Milliseconds(100);  // after a failure
  };

  // who: "writer 0", for logs.
  FencedConnection(Deps deps, std::string who);
  FencedConnection(const FencedConnection&) = delete;
  FencedConnection& operator=(const FencedConnection&) = delete;

  [[nodiscard]] DbStatus connect();
  [[nodiscard]] bool connected() const noexcept { return connection_ != nullptr; }
  void drop() noexcept { connection_.reset(); }
  // While connected; for what writes nothing. `noted` what it answers.
  [[nodiscard]] MysqlConnection& operator*() const noexcept { return *connection_; }
  template <typename T>
  [[nodiscard]] DbResult<T> noted(DbResult<T> result) {
    if (!result) note(result.error(), false);
    return result;
  }

  // While connected.
  using Statement = std::function<DbResult<Fence>(MysqlConnection&, const FenceKey&)>;
  using Statements = std::function<DbStatus(MysqlConnection&)>;
  // One statement that is a transaction of its own and has the fence in it.
  [[nodiscard]] Written write_one(const Tenure& tenure, const Statement& statement);
  // Several, the first of which has the fence in it.
  [[nodiscard]] Written write_many(const Tenure& tenure, const Statement& statements);
  // Several that have no fence: it is asked before them.
  [[nodiscard]] Written transact(const Tenure& tenure, const Statements& statements);
  // Rows that can never be stored, with the reason, for an operator. May be repeated.
  [[nodiscard]] Written park(const Tenure& tenure, std::span<const ParkedRow> rows);

  // After kUnknown: when this has worked, what was in doubt is there to be found or will never be there. What
  // the node holds now; null: another process raised the epoch.
  [[nodiscard]] DbResult<TenurePtr> settle(const Tenure& tenure);
  // While connected: what the node holds now under this epoch, which the shard's state then says, too. Null:
  // another process raised the epoch. For who raised the barrier, or was refused by it.
  [[nodiscard]] DbResult<TenurePtr> read_present(std::uint64_t epoch);

  [[nodiscard]] ServerTrouble& trouble() noexcept { return trouble_; }

 private:
  [[nodiscard]] FenceKey begin(const Tenure& tenure);
  [[nodiscard]] CommitFault next_fault() const;
  [[nodiscard]] Written end(DbResult<Fence> done, const Tenure& tenure, DbSent sent);
  [[nodiscard]] Written commit(const DbResult<Fence>& done, const Tenure& tenure, CommitFault fault);
  [[nodiscard]] Written failed(const DbError& error, DbSent sent);
  [[nodiscard]] Written refused(const Tenure& tenure);
  void note(const DbError& error, bool perhaps_stored);

  const Deps deps_;
  ServerTrouble trouble_;
  std::unique_ptr<MysqlConnection> connection_;
  SteadyTime connect_again_at_{};
  DbError connect_error_;
};

}  // namespace hongyan::logic
