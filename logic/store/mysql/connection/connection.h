// One connection to MariaDB or MySQL, on libmariadb's C API. What includes mysql.h stays in
// logic/store/mysql.
#pragma once

#include <mysql.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/clock.h"
#include "logic/store/mysql/connection/db_error.h"

namespace hongyan::logic {

struct MysqlEndpoint {
  std::string host;  // or empty with a socket
  std::uint16_t port = 3306;
  std::string socket;  // path of a Unix socket, instead of host and port
  std::string user;
  std::string password;
  std::string database;  // may be empty
  Milliseconds connect_timeout{1000};
  Milliseconds io_timeout{2000};  // of one read or write; the library rounds up to seconds
};

// "127.0.0.1:3306/db" or "/run/x.sock/db": for logs.
[[nodiscard]] std::string describe(const MysqlEndpoint& endpoint);

// Every thread that uses connections holds one of these for as long as it does.
class MysqlThread {
 public:
  MysqlThread();
  ~MysqlThread();
  MysqlThread(const MysqlThread&) = delete;
  MysqlThread& operator=(const MysqlThread&) = delete;
};

// A row of a text query; valid during the callback.
class TextRow {
 public:
  TextRow(char** values, const unsigned long* lengths, unsigned columns) noexcept
      : values_(values), lengths_(lengths), columns_(columns) {}

  [[nodiscard]] unsigned columns() const noexcept { return columns_; }
  [[nodiscard]] bool is_null(unsigned column) const noexcept { return values_[column] == nullptr; }
  // Empty when NULL.
  [[nodiscard]] std::string_view text(unsigned column) const noexcept {
    return values_[column] == nullptr ? std::string_view()
                                      : std::string_view(values_[column], lengths_[column]);
  }
  // 0 when NULL or not a number.
  [[nodiscard]] std::int64_t number(unsigned column) const noexcept;
  [[nodiscard]] std::uint64_t unsigned_number(unsigned column) const noexcept;

 private:
  char** values_;
  const unsigned long* lengths_;
  unsigned columns_;
};

// For tests: what happens to a commit on its way.
enum class CommitFault : std::uint8_t {
  kNone,
  kCutBefore,  // the connection breaks before COMMIT reaches the server
  kCutAfter,   // COMMIT reaches the server, its answer is lost
};

// Owned and used by one thread, which holds a MysqlThread. No automatic reconnect: after DbFault::kLost the
// object is of no more use and is destroyed; its prepared statements go with it. Calls block, at most for the
// timeouts.
class MysqlConnection {
 public:
  // The session has the settings that this program needs, whatever the server's defaults: strict mode, READ
  // COMMITTED, no chained transactions, lock wait 1 s and so on, read back; else it is an error.
  [[nodiscard]] static DbResult<std::unique_ptr<MysqlConnection>> open(const MysqlEndpoint& endpoint);

  ~MysqlConnection();
  MysqlConnection(const MysqlConnection&) = delete;
  MysqlConnection& operator=(const MysqlConnection&) = delete;

  using OnRow = std::function<void(const TextRow&)>;

  // One statement, or several with ';' between. `on_row` gets the rows of all of them. On an error the
  // statements after it were not run.
  DbStatus query(std::string_view sql, const OnRow& on_row = {});

  // As query, and answers how many rows the last statement changed.
  DbResult<std::uint64_t> execute(std::string_view sql);

  // COMMIT. Whether an error leaves the outcome unknown: perhaps_stored(fault, DbSent::kCommit).
  DbStatus commit(CommitFault fault = CommitFault::kNone);
  // For tests: the connection breaks, unnoticed by either side.
  void cut() noexcept;
  DbStatus rollback() { return query("ROLLBACK"); }

  // A statement prepared on this connection, made at first use. `key` names it; `make_sql` is called to
  // prepare it.
  DbResult<MYSQL_STMT*> statement(std::uint64_t key, const std::function<std::string()>& make_sql);

  // Binds and runs. A result set, if any, is the caller's to fetch and free.
  DbStatus run(MYSQL_STMT* statement, std::span<MYSQL_BIND> parameters);

  [[nodiscard]] DbError statement_error(MYSQL_STMT* statement) const;
  [[nodiscard]] std::uint64_t thread_id() const noexcept { return mysql_thread_id(mysql_); }

 private:
  struct StatementDeleter {
    void operator()(MYSQL_STMT* statement) const noexcept;
  };

  explicit MysqlConnection(MYSQL* mysql) noexcept : mysql_(mysql) {}

  DbStatus prepare_session();
  DbStatus check_session();
  [[nodiscard]] DbError last_error() const;

  MYSQL* mysql_;
  std::uint64_t affected_ = 0;  // by the last statement of query
  std::unordered_map<std::uint64_t, std::unique_ptr<MYSQL_STMT, StatementDeleter>> statements_;
};

// Bytes as a literal of SQL: x'616263'. Safe for every byte.
void append_hex_literal(std::string& sql, std::string_view bytes);

// Parameters. The value must outlive the statement's run.
void bind_bytes(MYSQL_BIND& bind, std::string_view bytes) noexcept;
void bind_number(MYSQL_BIND& bind, const std::int64_t& value) noexcept;

}  // namespace hongyan::logic
