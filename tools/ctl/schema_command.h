// hongyanctl schema: applies the SQL files to a shard's database, and shows what it has.
#pragma once

#include <cstdint>
#include <string>

namespace hongyan::ctl {

// What the command line says.
struct SchemaOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3306;
  std::string socket;  // not empty: instead of host and port
  std::string user = "hongyan";
  std::string password_file;  // empty: HONGYAN_MYSQL_PASSWORD
  std::string database;
  std::string slots;  // of apply: "0-1023"
  std::uint64_t map_version = 1;
  std::string sql_directory;  // empty: the files that are built in
  bool create_database = false;
};

// Each prints what it did or why not, and answers the program's exit status.
[[nodiscard]] int apply_schema(const SchemaOptions& options);
[[nodiscard]] int show_schema(const SchemaOptions& options);

}  // namespace hongyan::ctl
