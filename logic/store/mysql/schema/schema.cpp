#include "logic/store/mysql/schema/schema.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/base/clock.h"
#include "logic/store/slot_ranges.h"

namespace hongyan::logic {

namespace {

constexpr unsigned kNoSuchTable = 1146;
constexpr std::string_view kLockName = "CONCAT('hongyan:', LEFT(SHA1(DATABASE()), 40))";
constexpr std::string_view kMakeTable =
    "CREATE TABLE IF NOT EXISTS im_schema ("
    " version INT UNSIGNED NOT NULL PRIMARY KEY,"
    " name VARBINARY(255) NOT NULL,"
    " checksum VARBINARY(32) NOT NULL,"
    " applied_at BIGINT NOT NULL"
    ") ENGINE = InnoDB";

// GET_LOCK for the time of a scope. The server frees it also when the connection ends.
class SchemaLock {
 public:
  explicit SchemaLock(MysqlConnection& connection) : connection_(connection) {}
  ~SchemaLock() {
    // A failure means that the connection is gone, and the lock with it.
    [[maybe_unused]] const DbStatus released =
        connection_.query(fmt::format("SELECT RELEASE_LOCK({})", kLockName));
  }
  SchemaLock(const SchemaLock&) = delete;
  SchemaLock& operator=(const SchemaLock&) = delete;

  Status take() {
    bool taken = false;
    // Shorter than a connection's read timeout, so tried several times.
    for (int attempt = 0; attempt < 30 && !taken; ++attempt) {
      auto asked = connection_.query(fmt::format("SELECT GET_LOCK({}, 1)", kLockName),
                                     [&](const TextRow& row) { taken = row.number(0) == 1; });
      if (!asked) return std::unexpected(to_operator_error(asked.error()));
    }
    if (!taken) return fail(Code::kUnavailable, "another process applies the schema of this database");
    return {};
  }

 private:
  MysqlConnection& connection_;
};

Status check_applied(const std::vector<SchemaFile>& files, const std::vector<AppliedSchema>& applied) {
  for (const AppliedSchema& old : applied) {
    const auto file = std::ranges::find(files, old.version, &SchemaFile::version);
    if (file == files.end()) {
      return fail(
          Code::kFailedPrecondition,
          fmt::format("the database has schema version {} ({}), unknown here", old.version, old.name));
    }
    if (schema_checksum(file->sql) != old.checksum) {
      return fail(Code::kFailedPrecondition, fmt::format("{} was changed after it was applied", file->name));
    }
  }
  return {};
}

Status apply_one(MysqlConnection& connection, const SchemaFile& file) {
  std::string record =
      fmt::format("INSERT INTO im_schema (version, name, checksum, applied_at) VALUES ({}, ", file.version);
  append_hex_literal(record, file.name);
  record += ", ";
  append_hex_literal(record, schema_checksum(file.sql));
  record += fmt::format(", {})", wall_ms());
  for (const std::string_view sql : {std::string_view(file.sql), std::string_view(record)}) {
    if (auto done = connection.query(sql); !done) {
      return fail(to_operator_error(done.error()).code,
                  fmt::format("{}: {} ({})", file.name, done.error().message, done.error().code));
    }
  }
  return {};
}

}  // namespace

std::uint32_t newest_schema_version() { return builtin_schema().back().version; }

std::string schema_checksum(std::string_view sql) {
  return fmt::format("{:016x}", static_cast<std::uint64_t>(XXH3_64bits(sql.data(), sql.size())));
}

Result<std::vector<SchemaFile>> load_schema(const std::string& directory) {
  std::error_code error;
  std::vector<SchemaFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".sql") continue;
    SchemaFile file;
    file.name = entry.path().filename().string();
    const auto [end, wrong] =
        std::from_chars(file.name.data(), file.name.data() + file.name.size(), file.version);
    if (wrong != std::errc() || end != file.name.data() + 4 || *end != '_') {
      return fail(Code::kBadRequest, fmt::format("{}: not named NNNN_name.sql", file.name));
    }
    std::ifstream stream(entry.path(), std::ios::binary);
    file.sql.assign(std::istreambuf_iterator<char>(stream), {});
    files.push_back(std::move(file));
  }
  if (error) return fail(Code::kNotFound, fmt::format("{}: {}", directory, error.message()));
  if (files.empty()) return fail(Code::kNotFound, fmt::format("{}: no SQL files", directory));
  std::ranges::sort(files, {}, &SchemaFile::version);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].version != i + 1)
      return fail(Code::kBadRequest, fmt::format("{}: number {} expected", files[i].name, i + 1));
  }
  return files;
}

Result<std::vector<AppliedSchema>> applied_schema(MysqlConnection& connection) {
  std::vector<AppliedSchema> applied;
  auto done = connection.query("SELECT version, name, checksum, applied_at FROM im_schema ORDER BY version",
                               [&](const TextRow& row) {
                                 applied.push_back({.version = static_cast<std::uint32_t>(row.number(0)),
                                                    .name = std::string(row.text(1)),
                                                    .checksum = std::string(row.text(2)),
                                                    .applied_at = row.number(3)});
                               });
  if (!done && done.error().code != kNoSuchTable) return std::unexpected(to_operator_error(done.error()));
  return applied;
}

Result<std::vector<std::string>> apply_schema(MysqlConnection& connection,
                                              const std::vector<SchemaFile>& files) {
  SchemaLock lock(connection);
  if (auto taken = lock.take(); !taken) return std::unexpected(taken.error());
  if (auto made = connection.query(kMakeTable); !made)
    return std::unexpected(to_operator_error(made.error()));
  auto applied = applied_schema(connection);
  if (!applied) return std::unexpected(applied.error());
  if (auto same = check_applied(files, *applied); !same) return std::unexpected(same.error());
  std::vector<std::string> names;
  for (const SchemaFile& file : files) {
    if (std::ranges::find(*applied, file.version, &AppliedSchema::version) != applied->end()) continue;
    if (auto done = apply_one(connection, file); !done) return std::unexpected(done.error());
    names.push_back(file.name);
  }
  return names;
}

Result<SlotMap> read_slot_map(MysqlConnection& connection) {
  SlotMap map;
  bool found = false;
  auto done =
      connection.query("SELECT map_version, slots FROM im_slot_map WHERE id = 1", [&](const TextRow& row) {
        found = true;
        map.version = row.unsigned_number(0);
        map.slots = row.text(1);
      });
  if (!done && done.error().code != kNoSuchTable) return std::unexpected(to_operator_error(done.error()));
  if (!found) return fail(Code::kNotFound, "no slot map recorded: run hongyanctl schema apply");
  return map;
}

Status record_slots(MysqlConnection& connection, const std::string& slots, std::uint64_t map_version) {
  const auto wanted = parse_slots(slots);
  if (!wanted) return std::unexpected(wanted.error());
  SchemaLock lock(connection);
  if (auto taken = lock.take(); !taken) return taken;
  const std::string text = format_slots(*wanted);
  if (auto known = read_slot_map(connection)) {
    if (known->slots != text) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("the database holds slots {}, not {}", known->slots, text));
    }
    if (known->version > map_version) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("the database has map version {}, above {}", known->version, map_version));
    }
  } else if (known.error().code != Code::kNotFound) {
    return std::unexpected(known.error());
  }
  std::string sql = "START TRANSACTION; INSERT IGNORE INTO im_slot (slot) VALUES ";
  for (std::size_t i = 0; i < wanted->size(); ++i)
    sql += fmt::format("{}({})", i == 0 ? "" : ",", (*wanted)[i]);
  sql += fmt::format(
      "; INSERT INTO im_slot_map (id, map_version, slots) VALUES (1, {}, '{}') "
      "ON DUPLICATE KEY UPDATE map_version = VALUES(map_version); COMMIT",
      map_version, text);
  if (auto done = connection.query(sql); !done) return std::unexpected(to_operator_error(done.error()));
  return {};
}

}  // namespace hongyan::logic
