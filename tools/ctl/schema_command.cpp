#include "tools/ctl/schema_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "logic/store/mysql/schema/schema.h"

namespace hongyan::ctl {

namespace {

constexpr Milliseconds kConnectTimeout{5'000};
constexpr Milliseconds kStatementTimeout{600'000};  // a file may rebuild a large table

Result<std::string> read_password(const std::string& file) {
  if (file.empty()) {
    const char* text = std::getenv("HONGYAN_MYSQL_PASSWORD");
    return std::string(text == nullptr ? "" : text);
  }
  std::ifstream stream(file);
  std::string line;
  if (!stream || (!std::getline(stream, line) && !stream.eof())) {
    return fail(Code::kNotFound, fmt::format("{}: cannot be read", file));
  }
  return line;
}

int report(const Error& error) {
  fmt::print(stderr, "hongyanctl: {}\n", error.message);
  return 1;
}

Status create_database(logic::MysqlEndpoint endpoint) {
  std::string name;
  for (const char c : endpoint.database) name += c == '`' ? "``" : std::string(1, c);
  endpoint.database.clear();
  auto connection = logic::MysqlConnection::open(endpoint);
  if (!connection) return std::unexpected(logic::to_operator_error(connection.error()));
  auto made =
      (*connection)->query(fmt::format("CREATE DATABASE IF NOT EXISTS `{}` CHARACTER SET utf8mb4", name));
  if (!made) return std::unexpected(logic::to_operator_error(made.error()));
  return {};
}

Result<logic::MysqlEndpoint> endpoint_of(const SchemaOptions& options) {
  auto password = read_password(options.password_file);
  if (!password) return std::unexpected(password.error());
  return logic::MysqlEndpoint{.host = options.host,
                              .port = options.port,
                              .socket = options.socket,
                              .user = options.user,
                              .password = std::move(*password),
                              .database = options.database,
                              .connect_timeout = kConnectTimeout,
                              .io_timeout = kStatementTimeout};
}

}  // namespace

int apply_schema(const SchemaOptions& options) {
  const logic::MysqlThread thread;
  const auto endpoint = endpoint_of(options);
  if (!endpoint) return report(endpoint.error());
  auto files = options.sql_directory.empty() ? Result<std::vector<logic::SchemaFile>>(logic::builtin_schema())
                                             : logic::load_schema(options.sql_directory);
  if (!files) return report(files.error());
  if (options.create_database) {
    if (auto made = create_database(*endpoint); !made) return report(made.error());
  }
  auto connection = logic::MysqlConnection::open(*endpoint);
  if (!connection) return report(logic::to_operator_error(connection.error()));
  const auto applied = logic::apply_schema(**connection, *files);
  if (!applied) return report(applied.error());
  for (const std::string& name : *applied) fmt::print("applied {}\n", name);
  if (auto recorded = logic::record_slots(**connection, options.slots, options.map_version); !recorded)
    return report(recorded.error());
  fmt::print("{}: schema version {}, slots {}, map version {}\n", logic::describe(*endpoint),
             files->back().version, options.slots, options.map_version);
  return 0;
}

int show_schema(const SchemaOptions& options) {
  const logic::MysqlThread thread;
  const auto endpoint = endpoint_of(options);
  if (!endpoint) return report(endpoint.error());
  auto connection = logic::MysqlConnection::open(*endpoint);
  if (!connection) return report(logic::to_operator_error(connection.error()));
  const auto applied = logic::applied_schema(**connection);
  if (!applied) return report(applied.error());
  for (const logic::AppliedSchema& file : *applied) {
    fmt::print("{:04} {} {} applied_at={}\n", file.version, file.name, file.checksum, file.applied_at);
  }
  const std::uint32_t version = applied->empty() ? 0 : applied->back().version;
  const auto map = logic::read_slot_map(**connection);
  fmt::print("schema version {} (newest known {}), slots {}, map version {}\n", version,
             logic::newest_schema_version(), map ? map->slots : "none", map ? map->version : 0);
  return map && version == logic::newest_schema_version() ? 0 : 2;
}

}  // namespace hongyan::ctl
