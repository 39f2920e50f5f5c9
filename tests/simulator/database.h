// A shard's database server: tables, transactions, locks, and what goes wrong with them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "logic/ownership/quotas.h"
#include "logic/store/box_works.h"
#include "logic/store/group_rows.h"
#include "logic/store/mysql/connection/db_error.h"
#include "logic/store/user_rows.h"
#include "tests/simulator/mutations.h"
#include "tests/simulator/network.h"

namespace hongyan::simulator {

inline constexpr const char* kApp = "sim";

// The rows of a shard, as deploy/sql has them; users by uid, as there is one app.
struct Tables {
  struct Node {
    std::uint64_t boot = 0;
    std::uint64_t epoch = 0;
    std::uint64_t barrier = 0;
  };
  struct BeatRow {
    std::uint64_t boot = 0;
    std::int64_t time = 0;
    MsgId id_limit = 0;
  };
  struct Lease {
    Slot slot = 0;
    logic::NodeNumber owner = 0;
    std::uint64_t epoch = 0;
    MsgId mark = 0;
  };
  struct BoxRow {
    std::int64_t seq = 0;
    Slot slot = 0;
    logic::Message message;
  };
  struct Group {
    Slot slot = 0;
    std::optional<logic::GroupInfo> info;
    std::map<std::int64_t, logic::GroupRow> rows;                          // by group_seq
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> members;  // uid, joined_seq: left_seq
    std::map<MsgId, logic::CtrlOutcome> outcomes;
  };
  using PendingKey = std::tuple<Slot, Slot, MsgId>;
  using CursorKey = std::tuple<DeviceClass, logic::CursorKind, std::int64_t>;
  using StayKey = std::pair<std::int64_t, std::int64_t>;

  std::map<logic::NodeNumber, Node> nodes;
  std::map<logic::NodeNumber, BeatRow> beats;
  std::map<logic::NodeNumber, std::uint64_t> standby;  // boot
  std::vector<Lease> leases;                           // ascending by slot
  std::set<PendingKey> pending;
  std::map<std::string, std::vector<BoxRow>> outbox;
  std::map<std::string, std::vector<BoxRow>> inbox;
  std::map<std::int64_t, Group> groups;
  std::map<std::string, std::map<StayKey, logic::Membership>> stays;
  std::map<std::string, std::map<CursorKey, std::int64_t>> cursors;
  std::map<std::string, logic::StoredUser> users;
  std::set<MsgId> parked;
  // by_slot of both.
  std::map<Slot, std::map<MsgId, std::pair<std::string, std::size_t>>> sent_of;
  std::map<Slot, std::map<MsgId, std::pair<std::int64_t, std::int64_t>>> placed_of;

  [[nodiscard]] Lease* lease(Slot slot);
};

// Hears of each row as it is committed.
class CommitWatch {
 public:
  virtual ~CommitWatch() = default;
  virtual void committed_outbox(const Tables::BoxRow& row) = 0;
  virtual void committed_inbox(const std::string& uid, const Tables::BoxRow& row) = 0;
  virtual void committed_group(const logic::GroupRow& row) = 0;
};

class Database;

struct Lock {
  std::string name;
  bool exclusive = false;
};

class ServerSession;

// A part of a statement: waits for its locks, then runs at once.
struct Step {
  std::vector<Lock> locks = {};
  // What it read goes where the caller finds it, even when the caller has given up.
  std::function<std::optional<logic::DbError>(ServerSession&)> run;
  bool writes = false;
};

// The server's end of a connection.
class ServerSession : public std::enable_shared_from_this<ServerSession> {
 public:
  ServerSession(Database& database, std::uint64_t number, logic::NodeNumber node)
      : database_(database), number_(number), node_(node) {}

  [[nodiscard]] Database& database() const noexcept { return database_; }
  [[nodiscard]] Tables& tables() const noexcept;
  [[nodiscard]] logic::NodeNumber node() const noexcept { return node_; }

  // For steps. A write is done when the transaction is committed.
  void begin() { in_transaction_ = true; }
  void write(std::function<void(Tables&)> write) { writes_.push_back(std::move(write)); }
  void commit();
  void rollback();

 private:
  friend class Database;
  friend class DatabaseClient;
  using Reply = std::function<void(const logic::DbStatus&)>;
  struct Statement {
    std::vector<Step> steps;
    Reply reply;
    std::size_t next = 0;
  };

  void take(std::vector<Step> steps, Reply reply);
  void start_next();
  void proceed();
  void finish(const logic::DbStatus& status);
  // The connection ends: what is not committed is undone.
  void end();

  Database& database_;
  const std::uint64_t number_;
  const logic::NodeNumber node_;
  bool ended_ = false;
  bool in_transaction_ = false;
  bool running_ = false;
  bool blocked_ = false;
  std::uint64_t turn_ = 0;
  std::vector<std::function<void(Tables&)>> writes_;
  std::deque<Statement> statements_;  // the first one runs
};

class Database {
 public:
  Database(Network& network, std::size_t index, std::vector<Slot> slots, Mutation mutation,
           CommitWatch& watch);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Tables tables;
  CommitWatch& watch;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] World& world() const noexcept { return network_.world(); }
  [[nodiscard]] Network& network() const noexcept { return network_; }
  [[nodiscard]] bool mutated(Mutation mutation) const noexcept { return mutation_ == mutation; }
  // The server's own clock.
  [[nodiscard]] std::int64_t clock_ms() const noexcept { return world().wall_ms() + clock_offset_ms_; }
  // A row of this slot is about to be committed by the node.
  void check_owner(logic::NodeNumber node, Slot slot, const char* what);

  // Faults.
  void set_up(bool up);
  [[nodiscard]] bool up() const noexcept { return up_; }
  void set_read_only(bool read_only) noexcept { read_only_ = read_only; }
  // As with max_connections: those that there are go on.
  void set_full(bool full) noexcept { full_ = full; }
  void set_slow(Micros extra) noexcept { extra_ = extra; }
  void set_clock_offset(std::int64_t ms) noexcept { clock_offset_ms_ = ms; }
  // Of each statement: how probably it is lost, executed with its answer lost, or read late.
  void set_losses(double probability) noexcept { losses_ = probability; }

  // Named locks of the server.
  [[nodiscard]] bool lock_name(const std::string& name, const ServerSession& session);

 private:
  friend class ServerSession;
  friend class DatabaseClient;
  [[nodiscard]] std::shared_ptr<ServerSession> accept(logic::NodeNumber node);
  [[nodiscard]] bool grant(ServerSession& session, const std::vector<Lock>& locks);
  void release(const ServerSession& session);
  void wake_blocked();
  [[nodiscard]] Micros service_time();

  Network& network_;
  const std::string name_;
  const Mutation mutation_;
  bool up_ = true;
  bool read_only_ = false;
  bool full_ = false;
  Micros extra_{0};
  std::int64_t clock_offset_ms_ = 0;
  double losses_ = 0;
  std::uint64_t next_session_ = 1;
  std::map<std::uint64_t, std::shared_ptr<ServerSession>> sessions_;
  std::map<std::string, std::map<std::uint64_t, bool>> held_;         // lock, session: exclusive
  std::vector<std::pair<std::uint64_t, std::vector<Lock>>> blocked_;  // in the order of coming
  std::map<std::string, std::uint64_t> names_;
};

// The client's end, on the fibers of one process.
class DatabaseClient {
 public:
  [[nodiscard]] static logic::DbResult<std::unique_ptr<DatabaseClient>> open(Database& database,
                                                                             logic::NodeNumber node,
                                                                             const std::string& node_name);
  ~DatabaseClient();
  DatabaseClient(const DatabaseClient&) = delete;
  DatabaseClient& operator=(const DatabaseClient&) = delete;

  // A statement, one packet; blocks until the answer, at most two seconds.
  [[nodiscard]] logic::DbStatus call(std::vector<Step> steps);
  [[nodiscard]] logic::DbStatus call(Step step);
  [[nodiscard]] Database& database() const noexcept { return database_; }

 private:
  DatabaseClient(Database& database, std::shared_ptr<ServerSession> session, std::shared_ptr<Pipe> to_server,
                 std::shared_ptr<Pipe> to_client)
      : database_(database),
        session_(std::move(session)),
        to_server_(std::move(to_server)),
        to_client_(std::move(to_client)) {}

  Database& database_;
  const std::shared_ptr<ServerSession> session_;
  const std::shared_ptr<Pipe> to_server_;
  const std::shared_ptr<Pipe> to_client_;
  bool broken_ = false;
};

}  // namespace hongyan::simulator
