// What a failed database call means for the caller.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace hongyan::logic {

// All but the first two: the server answered and stored nothing.
enum class DbFault : std::uint8_t {
  kLost,      // the connection is gone: drop it with all its statements. What was sent may have been executed
  kDoubtful,  // the server failed while it committed: what was sent may have been executed
  kDuplicate,  // a unique key
  kConflict,   // deadlock or lock wait, also a node row locked by whoever raises an epoch: try again
  kPermanent,  // the row itself can never be stored: too long, bad value, packet too large
  kUnable,     // the server cannot store anything now, or not for us: read-only, disk full, no privilege
  kOther,      // an answer not known here: perhaps of this row (a trigger), perhaps of all
};

// What was on its way to the server when a call failed.
enum class DbSent : std::uint8_t {
  kNothing,    // nothing that could have been committed
  kStatement,  // a statement that is a transaction of its own
  kCommit,     // COMMIT
};

// "lost", "duplicate" and so on. Static storage.
[[nodiscard]] std::string_view fault_name(DbFault fault) noexcept;

struct DbError {
  DbFault fault = DbFault::kOther;
  unsigned code = 0;    // of the server (1000 to 1999, 3000 and up) or of the client library (2000 to 2999)
  std::string message;  // the server's or the library's, without values of rows: for logs, never for clients

  [[nodiscard]] std::string text() const;    // "duplicate 1062: ...", for logs
  [[nodiscard]] std::string reason() const;  // "the server's disk is full (1114)", for operators
};

template <typename T>
using DbResult = std::expected<T, DbError>;
using DbStatus = DbResult<void>;

// The one place that knows the servers' error numbers.
[[nodiscard]] DbFault classify(unsigned code) noexcept;

// Whether it may have been stored all the same.
[[nodiscard]] bool perhaps_stored(DbFault fault, DbSent sent) noexcept;

// Keeps the server's text unless it may quote a value of a row.
[[nodiscard]] DbError make_db_error(unsigned code, std::string_view server_text);

// What a client hears of a write that may work later.
inline constexpr const char* kNotTakenNow = "the storage does not take it now";

// What clients and callers of the API are told: a fixed text, nothing of the server's. kUnavailable for what
// may pass, kInternal for kPermanent and kDuplicate.
[[nodiscard]] Error to_error(const DbError& error);

// With the server's text, for logs and command lines.
[[nodiscard]] Error to_operator_error(const DbError& error);

}  // namespace hongyan::logic
