#include "tools/bench/modes/rows.h"

#include <fmt/format.h>

#include <array>

#include "common/base/endpoint.h"
#include "logic/store/mysql/connection/connection.h"
#include "tools/bench/measure/content.h"
#include "tools/bench/measure/load.h"

namespace hongyan::bench {

namespace {

constexpr std::array<std::size_t, 4> kRowsAStatement = {1, 16, 64, 256};
constexpr std::size_t kColumns = 12;  // of both tables
constexpr std::int64_t kUsers = 100;
constexpr std::array<const char*, 2> kTables = {"im_message_send", "im_message_receive"};
// In the order of Row's parameters below.
constexpr std::array<const char*, 2> kColumnNames = {
    "app_id, msg_from, msg_seq, msg_id, slot, cmd_id, msg_type, group_id, send_time, msg_to, client_msg_id, "
    "msg_content",
    "app_id, msg_to, msg_seq, msg_id, cmd_id, msg_type, group_id, group_seq, send_time, msg_from, "
    "client_msg_id, "
    "msg_content"};

std::unexpected<Error> failed(const std::string& what, const logic::DbError& error) {
  return fail(Code::kInternal, what + ": " + error.text());
}

Result<logic::MysqlEndpoint> endpoint_of(const Cluster& cluster) {
  auto server = parse_endpoint(cluster.mysql);
  if (!server) return fail(Code::kBadRequest, "HONGYAN_MYSQL_0 is missing or not HOST:PORT");
  logic::MysqlEndpoint endpoint;
  endpoint.host = std::move(server->host);
  endpoint.port = server->port;
  endpoint.user = "root";
  endpoint.password = cluster.mysql_password;
  endpoint.io_timeout = Milliseconds(30'000);
  return endpoint;
}

// Exists from construction to destruction.
class ScratchDatabase {
 public:
  ScratchDatabase(logic::MysqlConnection& connection, std::string name)
      : connection_(connection), name_(std::move(name)) {}
  ~ScratchDatabase() {
    if (!created_) return;
    const auto dropped = connection_.query("DROP DATABASE " + name_);
    if (!dropped) fmt::print(stderr, "hongyan-bench: {} stays: {}\n", name_, dropped.error().text());
  }
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  // The tables as those of `model`.
  Status create(const std::string& model) {
    std::string sql = "CREATE DATABASE " + name_;
    if (const auto done = connection_.query(sql); !done) return failed(sql, done.error());
    created_ = true;
    for (const char* table : kTables) {
      sql = fmt::format("CREATE TABLE {0}.{2} LIKE {1}.{2}", name_, model, table);
      if (const auto done = connection_.query(sql); !done) return failed(sql, done.error());
    }
    return {};
  }

 private:
  logic::MysqlConnection& connection_;
  const std::string name_;
  bool created_ = false;
};

// One INSERT of many rows, alternating between the tables.
class Inserter {
 public:
  Inserter(logic::MysqlConnection& connection, std::string database, std::size_t size)
      : connection_(connection), database_(std::move(database)), content_(size, 'x') {}

  logic::DbStatus insert(std::size_t rows, std::size_t table) {
    const auto statement =
        connection_.statement(rows * kTables.size() + table, [&] { return sql_of(rows, table); });
    if (!statement) return std::unexpected(statement.error());
    rows_.resize(std::max(rows_.size(), rows));
    binds_.assign(rows * kColumns, MYSQL_BIND{});
    for (std::size_t i = 0; i < rows; ++i)
      bind(rows_[i], table, std::span(binds_).subspan(i * kColumns, kColumns));
    return connection_.run(*statement, binds_);
  }

 private:
  struct Row {
    std::string from;
    std::string to;
    std::string client_msg_id;
    std::int64_t seq = 0;
    std::int64_t id = 0;
  };

  std::string sql_of(std::size_t rows, std::size_t table) const {
    std::string sql =
        fmt::format("INSERT INTO {}.{} ({}) VALUES ", database_, kTables.at(table), kColumnNames.at(table));
    for (std::size_t i = 0; i < rows; ++i)
      sql += i == 0 ? "(?,?,?,?,?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?,?,?,?,?)";
    return sql;
  }

  void bind(Row& row, std::size_t table, std::span<MYSQL_BIND> out) {
    row.id = ++next_;
    row.seq = row.id / kUsers + 1;
    row.from = fmt::format("bench-user-{:03}-s", row.id % kUsers);
    row.to = fmt::format("bench-user-{:03}-r", row.id % kUsers);
    row.client_msg_id = fmt::format("0123456789abcdef-0-{}", row.id);
    const bool outbox = table == 0;
    std::size_t column = 0;
    const auto bytes = [&](std::string_view value) { logic::bind_bytes(out[column++], value); };
    const auto number = [&](const std::int64_t& value) { logic::bind_number(out[column++], value); };
    bytes("demo");
    bytes(outbox ? row.from : row.to);
    number(row.seq);
    number(row.id);
    for (int i = 0; i < 4; ++i)
      number(zero_);  // slot, cmd_id, msg_type, group_id, or the last three and group_seq
    number(send_time_);
    bytes(outbox ? row.to : row.from);
    bytes(row.client_msg_id);
    bytes(content_);
  }

  logic::MysqlConnection& connection_;
  const std::string database_;
  const std::string content_;
  const std::int64_t zero_ = 0;
  const std::int64_t send_time_ = wall_ms();
  std::int64_t next_ = 0;
  std::vector<Row> rows_ = {};
  std::vector<MYSQL_BIND> binds_ = {};
};

}  // namespace

Result<Report> run_rows(const Cluster& cluster, const RowsOptions& options) {
  const auto endpoint = endpoint_of(cluster);
  if (!endpoint) return std::unexpected(endpoint.error());
  const logic::MysqlThread thread;
  const auto connection = logic::MysqlConnection::open(*endpoint);
  if (!connection) return failed("cannot connect", connection.error());
  const std::string database = "hongyan_bench_" + random_run_id();
  ScratchDatabase scratch(**connection, database);
  if (Status status = scratch.create(cluster.mysql_database); !status) return std::unexpected(status.error());

  Report report{.bench = "rows", .unit = "row"};
  report.parameters = {{"size", static_cast<std::int64_t>(options.size)}, {"seconds", options.seconds}};
  Inserter inserter(**connection, database, options.size);
  const Meter whole(cluster);
  for (const std::size_t rows : kRowsAStatement) {
    const Meter meter(cluster);
    const auto end = SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(
                                              std::chrono::duration<double>(options.seconds));
    std::uint64_t inserted = 0;
    for (std::size_t table = 0; SteadyClock::now() < end; table = 1 - table, inserted += rows) {
      if (const auto done = inserter.insert(rows, table); !done) return failed("INSERT", done.error());
    }
    const Cost cost = meter.stop();
    const double count = static_cast<double>(inserted);
    report.operations += inserted;
    report.results.emplace_back(fmt::format("rows_per_s_{}", rows), count / cost.seconds);
    report.results.emplace_back(fmt::format("server_us_per_row_{}", rows),
                                cost.server_cpu_seconds() * 1e6 / count);
    remark(options.progress,
           fmt::format("{:>3} rows a statement: {:.0f} rows/s", rows, count / cost.seconds));
  }
  report.cost = whole.stop();
  return report;
}

}  // namespace hongyan::bench
