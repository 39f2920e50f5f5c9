#include "logic/store/mysql/connection/connection.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <mutex>

namespace hongyan::logic {

namespace {

// What a session would else take from the server, and with which a write could differ, vanish or wait.
struct Setting {
  std::string_view name;
  std::string_view value;      // as a statement says it
  std::string_view read_back;  // as the server says it
};
// First, because the server reads what follows in it.
constexpr std::string_view kCharacterSet = "SET NAMES utf8mb4; ";
// completion_type before what may commit.
constexpr std::array<Setting, 14> kSettings = {
    {{"completion_type", "'NO_CHAIN'", "NO_CHAIN"},
     {"autocommit", "1", "ON"},
     {"sql_mode", "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'", "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"},
     {"sql_select_limit", "18446744073709551615", "18446744073709551615"},
     {"sql_big_selects", "1", "ON"},
     {"sql_safe_updates", "0", "OFF"},
     {"foreign_key_checks", "1", "ON"},
     {"unique_checks", "1", "ON"},
     {"time_zone", "'+00:00'", "+00:00"},
     {"innodb_lock_wait_timeout", "1", "1"},
     {"lock_wait_timeout", "1", "1"},
     {"character_set_client", "utf8mb4", "utf8mb4"},
     {"character_set_connection", "utf8mb4", "utf8mb4"},
     {"character_set_results", "utf8mb4", "utf8mb4"}}};
// By statements of their own; two names each, of MariaDB and MySQL.
constexpr std::string_view kTransactions =
    "; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE";
constexpr std::array<Setting, 4> kTransactionSettings = {{{"tx_isolation", {}, "READ-COMMITTED"},
                                                          {"transaction_isolation", {}, "READ-COMMITTED"},
                                                          {"tx_read_only", {}, "OFF"},
                                                          {"transaction_read_only", {}, "OFF"}}};
// MariaDB only. A holder of locks that was frozen is cut off by the server.
constexpr std::array<Setting, 4> kMariadbSettings = {{{"idle_transaction_timeout", "1", "1"},
                                                      {"idle_readonly_transaction_timeout", "1", "1"},
                                                      {"idle_write_transaction_timeout", "1", "1"},
                                                      {"max_statement_time", "0", "0.000000"}}};
constexpr unsigned kUnknownVariable = 1193;

std::string set_statement(std::span<const Setting> settings) {
  std::string sql = "SET SESSION ";
  for (const Setting& one : settings) {
    sql += fmt::format("{}{} = {}", &one == settings.data() ? "" : ", ", one.name, one.value);
  }
  return sql;
}

unsigned whole_seconds(Milliseconds time) noexcept {
  return static_cast<unsigned>((std::max<std::int64_t>(time.count(), 1) + 999) / 1000);
}

void init_library_once() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
}

template <typename T>
T parse(std::string_view text) noexcept {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void set_options(MYSQL* mysql, const MysqlEndpoint& endpoint) {
  const unsigned connect_timeout = whole_seconds(endpoint.connect_timeout);
  const unsigned io_timeout = whole_seconds(endpoint.io_timeout);
  const my_bool off = 0;
  const unsigned no = 0;
  mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
  mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &io_timeout);
  mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout);
  mysql_options(mysql, MYSQL_OPT_RECONNECT, &off);
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no);
  mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const auto protocol =
      static_cast<unsigned>(endpoint.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET);
  mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
}

}  // namespace

std::string describe(const MysqlEndpoint& endpoint) {
  return endpoint.socket.empty() ? fmt::format("{}:{}/{}", endpoint.host, endpoint.port, endpoint.database)
                                 : fmt::format("{}/{}", endpoint.socket, endpoint.database);
}

MysqlThread::MysqlThread() {
  init_library_once();
  mysql_thread_init();
}
MysqlThread::~MysqlThread() { mysql_thread_end(); }

std::int64_t TextRow::number(unsigned column) const noexcept { return parse<std::int64_t>(text(column)); }
std::uint64_t TextRow::unsigned_number(unsigned column) const noexcept {
  return parse<std::uint64_t>(text(column));
}

DbResult<std::unique_ptr<MysqlConnection>> MysqlConnection::open(const MysqlEndpoint& endpoint) {
  init_library_once();
  MYSQL* mysql = mysql_init(nullptr);
  if (mysql == nullptr) return std::unexpected(make_db_error(CR_OUT_OF_MEMORY, "out of memory"));
  std::unique_ptr<MysqlConnection> connection(new MysqlConnection(mysql));
  set_options(mysql, endpoint);
  const char* database = endpoint.database.empty() ? nullptr : endpoint.database.c_str();
  const bool by_socket = !endpoint.socket.empty();
  if (mysql_real_connect(mysql, by_socket ? nullptr : endpoint.host.c_str(), endpoint.user.c_str(),
                         endpoint.password.c_str(), database, by_socket ? 0 : endpoint.port,
                         by_socket ? endpoint.socket.c_str() : nullptr, CLIENT_MULTI_STATEMENTS) == nullptr) {
    return std::unexpected(connection->last_error());
  }
  if (auto ready = connection->prepare_session(); !ready) return std::unexpected(ready.error());
  return connection;
}

MysqlConnection::~MysqlConnection() {
  statements_.clear();
  mysql_close(mysql_);
}

DbStatus MysqlConnection::prepare_session() {
  static const std::string session =
      std::string(kCharacterSet) + set_statement(kSettings) + std::string(kTransactions);
  static const std::string mariadb = set_statement(kMariadbSettings);
  if (auto set = query(session); !set) return set;
  auto set = query(mariadb);
  if (!set && set.error().code != kUnknownVariable) return set;
  return check_session();
}

// A proxy or a server that takes a setting and does not keep it would be noticed too late.
DbStatus MysqlConnection::check_session() {
  static const std::string ask = [] {
    std::string sql = "SHOW SESSION VARIABLES WHERE Variable_name IN (";
    for (const auto& list :
         {std::span<const Setting>(kSettings), std::span<const Setting>(kTransactionSettings),
          std::span<const Setting>(kMariadbSettings)}) {
      for (const Setting& one : list) sql += fmt::format("'{}',", one.name);
    }
    sql.back() = ')';
    return sql;
  }();
  std::string wrong;
  std::size_t found = 0;
  auto asked = query(ask, [&](const TextRow& row) {
    for (const auto& list :
         {std::span<const Setting>(kSettings), std::span<const Setting>(kTransactionSettings),
          std::span<const Setting>(kMariadbSettings)}) {
      for (const Setting& one : list) {
        if (row.text(0) != one.name) continue;
        ++found;
        if (row.text(1) != one.read_back) {
          wrong = fmt::format("the session's {} is {}, must be {}", one.name, row.text(1), one.read_back);
        }
      }
    }
  });
  if (!asked) return asked;
  if (found < kSettings.size()) wrong = "the server does not tell the session's settings";
  if (wrong.empty()) return {};
  return std::unexpected(DbError{.fault = DbFault::kUnable, .code = 0, .message = wrong});
}

DbStatus MysqlConnection::query(std::string_view sql, const OnRow& on_row) {
  if (mysql_real_query(mysql_, sql.data(), sql.size()) != 0) return std::unexpected(last_error());
  while (true) {
    if (MYSQL_RES* result = mysql_store_result(mysql_); result != nullptr) {
      const unsigned columns = mysql_num_fields(result);
      while (MYSQL_ROW row = on_row ? mysql_fetch_row(result) : nullptr) {
        on_row(TextRow(row, mysql_fetch_lengths(result), columns));
      }
      mysql_free_result(result);
    } else if (mysql_field_count(mysql_) != 0) {
      return std::unexpected(last_error());
    }
    affected_ = mysql_affected_rows(mysql_);
    const int next = mysql_next_result(mysql_);
    if (next > 0) return std::unexpected(last_error());
    if (next < 0) return {};
  }
}

DbResult<std::uint64_t> MysqlConnection::execute(std::string_view sql) {
  if (auto done = query(sql); !done) return std::unexpected(done.error());
  return affected_;
}

DbStatus MysqlConnection::commit(CommitFault fault) {
  if (fault == CommitFault::kCutBefore) cut();
  if (fault == CommitFault::kCutAfter) {
    constexpr std::string_view kCommit = "COMMIT";
    if (mysql_send_query(mysql_, kCommit.data(), kCommit.size()) == 0) cut();
    if (mysql_read_query_result(mysql_) != 0) return std::unexpected(last_error());
    return {};
  }
  return query("COMMIT");
}

DbResult<MYSQL_STMT*> MysqlConnection::statement(std::uint64_t key,
                                                 const std::function<std::string()>& make_sql) {
  if (const auto found = statements_.find(key); found != statements_.end()) return found->second.get();
  std::unique_ptr<MYSQL_STMT, StatementDeleter> made(mysql_stmt_init(mysql_));
  if (!made) return std::unexpected(make_db_error(CR_OUT_OF_MEMORY, "out of memory"));
  const std::string sql = make_sql();
  if (mysql_stmt_prepare(made.get(), sql.data(), sql.size()) != 0)
    return std::unexpected(statement_error(made.get()));
  MYSQL_STMT* raw = made.get();
  statements_.emplace(key, std::move(made));
  return raw;
}

DbStatus MysqlConnection::run(MYSQL_STMT* statement, std::span<MYSQL_BIND> parameters) {
  if (!parameters.empty() && mysql_stmt_bind_param(statement, parameters.data()) != 0) {
    return std::unexpected(statement_error(statement));
  }
  if (mysql_stmt_execute(statement) != 0) return std::unexpected(statement_error(statement));
  return {};
}

DbError MysqlConnection::statement_error(MYSQL_STMT* statement) const {
  const unsigned code = mysql_stmt_errno(statement);
  return code == 0 ? last_error() : make_db_error(code, mysql_stmt_error(statement));
}

DbError MysqlConnection::last_error() const {
  const unsigned code = mysql_errno(mysql_);
  return code == 0 ? make_db_error(CR_UNKNOWN_ERROR, "unknown") : make_db_error(code, mysql_error(mysql_));
}

void MysqlConnection::cut() noexcept { ::shutdown(mysql_get_socket(mysql_), SHUT_RDWR); }

void MysqlConnection::StatementDeleter::operator()(MYSQL_STMT* statement) const noexcept {
  mysql_stmt_close(statement);
}

void append_hex_literal(std::string& sql, std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  sql += "x'";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    sql += kDigits[byte >> 4];
    sql += kDigits[byte & 15];
  }
  sql += '\'';
}

void bind_bytes(MYSQL_BIND& bind, std::string_view bytes) noexcept {
  bind.buffer_type = MYSQL_TYPE_BLOB;
  bind.buffer =
      const_cast<char*>(bytes.data() == nullptr ? "" : bytes.data());  // NOLINT: the library only reads it
  bind.buffer_length = bytes.size();
}

void bind_number(MYSQL_BIND& bind, const std::int64_t& value) noexcept {
  bind.buffer_type = MYSQL_TYPE_LONGLONG;
  bind.buffer = const_cast<std::int64_t*>(&value);  // NOLINT: the library only reads it
}

}  // namespace hongyan::logic
