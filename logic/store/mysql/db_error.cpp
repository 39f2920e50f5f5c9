#include "logic/store/mysql/db_error.h"

#include <fmt/format.h>

namespace hongyan::logic {

std::string_view fault_name(DbFault fault) noexcept {
  switch (fault) {
    case DbFault::kLost:
      return "lost";
    case DbFault::kDuplicate:
      return "duplicate";
    case DbFault::kConflict:
      return "conflict";
    case DbFault::kReadOnly:
      return "read-only";
    case DbFault::kPermanent:
      return "permanent";
    case DbFault::kBusy:
      return "busy";
  }
  return "unknown";
}

std::string DbError::text() const { return fmt::format("{} {}: {}", fault_name(fault), code, message); }

DbFault classify(unsigned code) noexcept {
  switch (code) {
    case 1062:  // duplicate entry
    case 1586:  // duplicate entry, with the key's name
      return DbFault::kDuplicate;
    case 1213:  // deadlock
    case 1205:  // lock wait timeout
    case 1020:  // record changed since last read
      return DbFault::kConflict;
    case 1290:  // running with --read-only
    case 1792:  // read-only transaction
    case 1836:  // read-only mode
    case 1223:  // flush tables with read lock
      return DbFault::kReadOnly;
    case 1048:  // null in a column that cannot be
    case 1105:  // over max_allowed_packet in a statement
    case 1118:  // row too large
    case 1153:  // packet too large
    case 1264:  // out of range
    case 1265:  // truncated
    case 1292:  // wrong value
    case 1366:  // wrong value for the character set
    case 1406:  // too long
    case 2020:  // packet too large, by the client library
    case 3819:  // check constraint (MySQL)
    case 4025:  // check constraint (MariaDB)
      return DbFault::kPermanent;
    case 1053:  // server shutting down
    case 1077:  // normal shutdown
    case 1079:  // shutdown complete
    case 1152:  // aborted connection
    case 1158:  // read and write errors of the network
    case 1159:
    case 1160:
    case 1161:
    case 1184:  // new aborted connection
    case 1243:  // unknown prepared statement: the session is not the one we knew
    case 1317:  // query interrupted: killed
    case 1927:  // connection killed
    case 4031:  // idle too long (MySQL)
      return DbFault::kLost;
    default:
      return code >= 2000 && code < 3000 ? DbFault::kLost : DbFault::kBusy;
  }
}

DbError make_db_error(unsigned code, std::string_view server_text) {
  DbError error{.fault = classify(code), .code = code, .message = {}};
  switch (code) {
    case 1062:
    case 1586:
      error.message = "duplicate key";
      break;
    case 1064:
      error.message = "syntax error";
      break;
    case 1292:
    case 1366:
      error.message = "wrong value";
      break;
    default:
      error.message = server_text.substr(0, 256);
  }
  return error;
}

Error to_error(const DbError& error) {
  const bool final = error.fault == DbFault::kPermanent || error.fault == DbFault::kDuplicate;
  return Error{.code = final ? Code::kInternal : Code::kUnavailable,
               .message = "database: " + error.text(),
               .retry_after_ms = final ? 0U : 200U};
}

}  // namespace hongyan::logic
