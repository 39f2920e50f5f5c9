#include "logic/store/mysql/connection/db_error.h"

#include <fmt/format.h>

namespace hongyan::logic {

namespace {

bool is_final(DbFault fault) noexcept { return fault == DbFault::kPermanent || fault == DbFault::kDuplicate; }

// In words, for the faults that an operator can do something about; empty for others.
std::string_view known_reason(unsigned code) noexcept {
  switch (code) {
    case 1021:
    case 1114:
      return "the server's disk or table is full";
    case 1040:
    case 1203:
    case 1226:
      return "the server takes no more connections of this user";
    case 1044:
    case 1142:
    case 1143:
    case 1227:
    case 1370:
      return "the user lacks a privilege";
    case 1045:
    case 1698:
      return "the server refuses the user or the password, or wants TLS";
    case 1049:
      return "there is no such database";
    case 1054:
    case 1146:
      return "the schema is not the one of this program";
    case 1130:
      return "the server does not let this host in";
    case 1665:
      return "the server's binlog_format does not go with READ COMMITTED, must be ROW or MIXED";
    case 1792:
    case 1836:
      return "the server is read-only";
    case 1820:
    case 1862:
    case 4151:
      return "the user's password or account has expired or is locked";
    case 1223:
      return "the server is locked by FLUSH TABLES WITH READ LOCK";
    case 3159:
      return "the server requires TLS";
    case 2002:
    case 2003:
    case 2005:
      return "the server cannot be reached";
    case 2006:
    case 2013:
    case 2055:
      return "the connection was lost";
    default:
      return {};
  }
}

}  // namespace

std::string_view fault_name(DbFault fault) noexcept {
  switch (fault) {
    case DbFault::kLost:
      return "lost";
    case DbFault::kDoubtful:
      return "doubtful";
    case DbFault::kDuplicate:
      return "duplicate";
    case DbFault::kConflict:
      return "conflict";
    case DbFault::kPermanent:
      return "permanent";
    case DbFault::kUnable:
      return "unable";
    case DbFault::kOther:
      return "other";
  }
  return "unknown";
}

std::string DbError::text() const { return fmt::format("{} {}: {}", fault_name(fault), code, message); }

std::string DbError::reason() const {
  const auto words = known_reason(code);
  if (words.empty()) return code == 0 ? message : fmt::format("{} ({})", message, code);
  return fmt::format("{} ({})", words, code);
}

DbFault classify(unsigned code) noexcept {
  switch (code) {
    case 1062:  // duplicate entry
    case 1586:  // duplicate entry, with the key's name
      return DbFault::kDuplicate;
    case 1213:  // deadlock
    case 1205:  // lock wait timeout
    case 1020:  // record changed since last read
      return DbFault::kConflict;
    case 1048:  // null in a column that cannot be
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
    case 1021:  // disk full: of the binary log, too
    case 1026:  // error writing a file: of the binary log, too
    case 1180:  // error during COMMIT
    case 1181:  // error during ROLLBACK
    case 3100:  // a replication plugin, before or after the commit
      return DbFault::kDoubtful;
    case 1036:  // table is read-only
    case 1037:  // out of memory
    case 1038:
    case 1040:  // too many connections
    case 1041:  // out of memory
    case 1044:  // access denied: database
    case 1045:  // access denied: user, password
    case 1049:  // unknown database
    case 1054:  // unknown column
    case 1114:  // table full, or the disk
    case 1130:  // host not allowed
    case 1135:  // cannot make a thread
    case 1142:  // access denied: table
    case 1143:  // access denied: column
    case 1146:  // no such table
    case 1203:  // too many connections of the user
    case 1223:  // flush tables with read lock
    case 1226:  // too much of a resource of the user
    case 1227:  // access denied: a global privilege
    case 1290:  // the server's options forbid it: --read-only
    case 1364:  // a column without a default that is not ours
    case 1370:  // access denied: routine
    case 1461:  // too many prepared statements
    case 1598:  // binary log impossible
    case 1665:  // binary log impossible: READ COMMITTED with STATEMENT
    case 1698:  // access denied: user, without a password
    case 1792:  // read-only transaction
    case 1820:  // password expired
    case 1836:  // read-only mode
    case 1862:  // password expired
    case 3024:  // query took longer than max_execution_time (MySQL)
    case 3159:  // TLS required
    case 4151:  // account locked
      return DbFault::kUnable;
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
      return code >= 2000 && code < 3000 ? DbFault::kLost : DbFault::kOther;
  }
}

bool perhaps_stored(DbFault fault, DbSent sent) noexcept {
  switch (sent) {
    case DbSent::kNothing:
      return false;
    case DbSent::kStatement:
      return fault == DbFault::kLost || fault == DbFault::kDoubtful;
    case DbSent::kCommit:
      // What COMMIT can say beside "read-only" is not known of every server.
      return fault != DbFault::kUnable;
  }
  return true;
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
  if (error.fault == DbFault::kDuplicate) return {Code::kInternal, "the storage has it already"};
  if (error.fault == DbFault::kPermanent) return {Code::kInternal, "the storage can never take it"};
  return {Code::kUnavailable, kNotTakenNow, kRetrySoonMs};
}

Error to_operator_error(const DbError& error) {
  return Error{.code = is_final(error.fault) ? Code::kInternal : Code::kUnavailable,
               .message = "database: " + error.text(),
               .retry_after_ms = is_final(error.fault) ? 0U : kRetrySoonMs};
}

}  // namespace hongyan::logic
