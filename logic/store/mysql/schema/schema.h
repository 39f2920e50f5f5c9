// The schema of a shard: numbered SQL files (deploy/sql/0001_base.sql), applied in order and recorded in
// im_schema.
//
// The files are compiled into the binaries, so a daemon knows the newest version it needs and hongyanctl
// needs no folder beside it. A file that was applied must not change: its checksum is compared. DDL has no
// transactions, so every statement of a file must be harmless when run twice (IF NOT EXISTS). All calls
// block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "logic/store/mysql/connection/connection.h"

namespace hongyan::logic {

struct SchemaFile {
  std::uint32_t version = 0;
  std::string name;  // "0001_base.sql"
  std::string sql;
};

struct AppliedSchema {
  std::uint32_t version = 0;
  std::string name;
  std::string checksum;
  std::int64_t applied_at = 0;  // ms since 1970
};

struct SlotMap {
  std::string slots;  // as format_slots writes them
  std::uint64_t version = 0;
};

// Those compiled in, ascending by version.
[[nodiscard]] const std::vector<SchemaFile>& builtin_schema();
[[nodiscard]] std::uint32_t newest_schema_version();

// Those of a folder: NNNN_name.sql. Refuses gaps and numbers used twice.
[[nodiscard]] Result<std::vector<SchemaFile>> load_schema(const std::string& directory);

[[nodiscard]] std::string schema_checksum(std::string_view sql);

// What im_schema says; empty for a database without one.
[[nodiscard]] Result<std::vector<AppliedSchema>> applied_schema(MysqlConnection& connection);

// Applies what is missing, under GET_LOCK, so that two appliers do not meet; answers the names of the files
// applied.
[[nodiscard]] Result<std::vector<std::string>> apply_schema(MysqlConnection& connection,
                                                            const std::vector<SchemaFile>& files);

// Records the slots of this database and makes their im_slot rows. Other slots than recorded before: refused,
// as their users' rows would be left behind. A higher map version with the same slots is recorded.
[[nodiscard]] Status record_slots(MysqlConnection& connection, const std::string& slots,
                                  std::uint64_t map_version);

// kNotFound when none was recorded.
[[nodiscard]] Result<SlotMap> read_slot_map(MysqlConnection& connection);

}  // namespace hongyan::logic
