// hongyanctl: administration from the command line. The one file that knows CLI11: it takes long to compile.
#include <CLI/CLI.hpp>

#include "common/base/version.h"
#include "tools/ctl/schema_command.h"

namespace hongyan::ctl {

namespace {

void add_connection_options(CLI::App& command, SchemaOptions& options) {
  command.add_option("--host", options.host, "address of the server")->capture_default_str();
  command.add_option("--port", options.port, "its port")->capture_default_str();
  command.add_option("--socket", options.socket, "Unix socket, instead of host and port");
  command.add_option("--user", options.user, "user of the database")->capture_default_str();
  command.add_option("--password-file", options.password_file,
                     "file whose first line is the password; else HONGYAN_MYSQL_PASSWORD");
  command.add_option("--database", options.database, "database of this shard")->required();
}

// The chosen command runs while the command line is parsed.
void add_schema(CLI::App& app, SchemaOptions& options, int& exit_status) {
  CLI::App* schema = app.add_subcommand("schema", "the schema of a shard's database");
  schema->require_subcommand(1);
  CLI::App* apply =
      schema->add_subcommand("apply", "apply the SQL files that are missing and record the slots");
  add_connection_options(*apply, options);
  apply->add_option("--slots", options.slots, "slots of this shard, \"0-1023\"")->required();
  apply->add_option("--map-version", options.map_version, "version of the slot map")->capture_default_str();
  apply->add_option("--sql-dir", options.sql_directory, "SQL files to use instead of those built in");
  apply->add_flag("--create-database", options.create_database, "create the database when it does not exist");
  apply->callback([&] { exit_status = apply_schema(options); });
  CLI::App* status =
      schema->add_subcommand("status", "show version, files and slots; exit status 2 when outdated");
  add_connection_options(*status, options);
  status->callback([&] { exit_status = show_schema(options); });
}

}  // namespace

}  // namespace hongyan::ctl

int main(int argc, char** argv) {
  CLI::App app("Administration of Hongyan", "hongyanctl");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("hongyanctl ") + hongyan::version());
  int exit_status = 0;
  hongyan::ctl::SchemaOptions schema;
  hongyan::ctl::add_schema(app, schema, exit_status);
  CLI11_PARSE(app, argc, argv);
  return exit_status;
}
