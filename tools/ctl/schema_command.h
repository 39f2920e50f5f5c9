// hongyanctl schema: applies the SQL files to a shard's database, and shows what it has.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

namespace hongyan::ctl {

// Adds "schema apply" and "schema status" to the program; the chosen one runs while the command line is
// parsed and leaves its exit status in `exit_status`. The object outlives the parsing.
class SchemaCommand {
 public:
  SchemaCommand(CLI::App& app, int& exit_status);
  SchemaCommand(const SchemaCommand&) = delete;
  SchemaCommand& operator=(const SchemaCommand&) = delete;

 private:
  void add_connection_options(CLI::App& command);
  int apply() const;
  int status() const;

  std::string host_ = "127.0.0.1";
  std::uint16_t port_ = 3306;
  std::string socket_;
  std::string user_ = "hongyan";
  std::string password_file_;
  std::string database_;
  std::string slots_;
  std::uint64_t map_version_ = 1;
  std::string sql_directory_;
  bool create_database_ = false;
};

}  // namespace hongyan::ctl
