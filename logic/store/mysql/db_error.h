// What a failed database call means for the caller.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace hongyan::logic {

enum class DbFault : std::uint8_t {
  kLost,  // the connection is gone: drop it with all its statements. What was sent may have been executed
  kDuplicate,  // a unique key: 1062
  kConflict,   // deadlock or lock wait, also a node row locked by whoever raises an epoch: try again
  kReadOnly,   // the server refuses writes
  kPermanent,  // the row itself can never be stored: too long, bad value, packet too large
  kBusy,       // anything else, disk full for example: nothing stored, try again later
};

// "lost", "duplicate" and so on. Static storage.
[[nodiscard]] std::string_view fault_name(DbFault fault) noexcept;

struct DbError {
  DbFault fault = DbFault::kBusy;
  unsigned code = 0;    // of the server (1000 to 1999, 3000 and up) or of the client library (2000 to 2999)
  std::string message;  // without values of rows: safe for logs

  [[nodiscard]] std::string text() const;  // "duplicate 1062: ..."
};

template <typename T>
using DbResult = std::expected<T, DbError>;
using DbStatus = DbResult<void>;

[[nodiscard]] DbFault classify(unsigned code) noexcept;

// Keeps the server's text unless it may quote a value of a row.
[[nodiscard]] DbError make_db_error(unsigned code, std::string_view server_text);

// kUnavailable for what may pass, kInternal for kPermanent and kDuplicate.
[[nodiscard]] Error to_error(const DbError& error);

}  // namespace hongyan::logic
