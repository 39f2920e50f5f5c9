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

Result<logic::MysqlEndpoint> with_password(logic::MysqlEndpoint endpoint, const std::string& file) {
  auto password = read_password(file);
  if (!password) return std::unexpected(password.error());
  endpoint.password = std::move(*password);
  endpoint.connect_timeout = kConnectTimeout;
  endpoint.io_timeout = kStatementTimeout;
  return endpoint;
}

}  // namespace

SchemaCommand::SchemaCommand(CLI::App& app, int& exit_status) {
  CLI::App* schema = app.add_subcommand("schema", "the schema of a shard's database");
  schema->require_subcommand(1);
  CLI::App* apply_command =
      schema->add_subcommand("apply", "apply the SQL files that are missing and record the slots");
  add_connection_options(*apply_command);
  apply_command->add_option("--slots", slots_, "slots of this shard, \"0-1023\"")->required();
  apply_command->add_option("--map-version", map_version_, "version of the slot map")->capture_default_str();
  apply_command->add_option("--sql-dir", sql_directory_, "SQL files to use instead of those built in");
  apply_command->add_flag("--create-database", create_database_,
                          "create the database when it does not exist");
  apply_command->callback([this, &exit_status] { exit_status = apply(); });
  CLI::App* status_command =
      schema->add_subcommand("status", "show version, files and slots; exit status 2 when outdated");
  add_connection_options(*status_command);
  status_command->callback([this, &exit_status] { exit_status = status(); });
}

void SchemaCommand::add_connection_options(CLI::App& command) {
  command.add_option("--host", host_, "address of the server")->capture_default_str();
  command.add_option("--port", port_, "its port")->capture_default_str();
  command.add_option("--socket", socket_, "Unix socket, instead of host and port");
  command.add_option("--user", user_, "user of the database")->capture_default_str();
  command.add_option("--password-file", password_file_,
                     "file whose first line is the password; else HONGYAN_MYSQL_PASSWORD");
  command.add_option("--database", database_, "database of this shard")->required();
}

int SchemaCommand::apply() const {
  const logic::MysqlThread thread;
  const auto endpoint = with_password(
      {.host = host_, .port = port_, .socket = socket_, .user = user_, .password = {}, .database = database_},
      password_file_);
  if (!endpoint) return report(endpoint.error());
  auto files = sql_directory_.empty() ? Result<std::vector<logic::SchemaFile>>(logic::builtin_schema())
                                      : logic::load_schema(sql_directory_);
  if (!files) return report(files.error());
  if (create_database_) {
    if (auto made = create_database(*endpoint); !made) return report(made.error());
  }
  auto connection = logic::MysqlConnection::open(*endpoint);
  if (!connection) return report(logic::to_operator_error(connection.error()));
  const auto applied = logic::apply_schema(**connection, *files);
  if (!applied) return report(applied.error());
  for (const std::string& name : *applied) fmt::print("applied {}\n", name);
  if (auto recorded = logic::record_slots(**connection, slots_, map_version_); !recorded)
    return report(recorded.error());
  fmt::print("{}: schema version {}, slots {}, map version {}\n", logic::describe(*endpoint),
             files->back().version, slots_, map_version_);
  return 0;
}

int SchemaCommand::status() const {
  const logic::MysqlThread thread;
  const auto endpoint = with_password(
      {.host = host_, .port = port_, .socket = socket_, .user = user_, .password = {}, .database = database_},
      password_file_);
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
