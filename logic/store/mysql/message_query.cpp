#include "logic/store/mysql/message_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace hongyan::logic {

namespace {

constexpr std::int64_t kFirstPage = 16;
constexpr std::int64_t kNextPage = 64;
constexpr std::size_t kFirstBuffer = 64 << 10;  // of a content; longer ones are fetched again
constexpr std::size_t kMentionsBuffer = 4 << 10;

// Results of the statements below: where the library writes a row.
class RowBuffer {
 public:
  RowBuffer() : content_(kFirstBuffer, '\0'), mentions_(kMentionsBuffer, '\0') {
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      MYSQL_BIND& bind = binds_[i];
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bind.buffer = &numbers_[i];
    }
    text(7, peer_);
    text(8, client_msg_id_);
    text(9, content_);
    text(10, mentions_);
    binds_[10].is_null = &no_mentions_;
  }

  [[nodiscard]] MYSQL_BIND* binds() noexcept { return binds_.data(); }

  DbStatus take(MysqlConnection& connection, MYSQL_STMT* statement, Box box, StoredMessage& stored) {
    Message& message = stored.message;
    stored.seq = numbers_[0];
    message.id = numbers_[1];
    message.group_id = numbers_[2];
    message.group_seq = numbers_[3];
    message.sent_ms = numbers_[4];
    message.command = static_cast<std::int32_t>(numbers_[5]);
    message.type = static_cast<std::int32_t>(numbers_[6]);
    (box == Box::kInbox ? message.from : message.to).assign(peer_.data(), lengths_[7]);
    message.client_msg_id.assign(client_msg_id_.data(), lengths_[8]);
    std::string content;
    if (auto taken = take_bytes(connection, statement, 9, content_, content); !taken) return taken;
    message.content = share(std::move(content));
    if (no_mentions_ != 0) return {};
    std::string mentions;
    if (auto taken = take_bytes(connection, statement, 10, mentions_, mentions); !taken) return taken;
    message.mentions = share(std::move(mentions));
    return {};
  }

 private:
  // What did not fit the buffer is fetched again.
  DbStatus take_bytes(MysqlConnection& connection, MYSQL_STMT* statement, unsigned column,
                      const std::vector<char>& buffer, std::string& out) {
    const std::size_t size = lengths_[column];
    if (size <= buffer.size()) {
      out.assign(buffer.data(), size);
      return {};
    }
    out.resize(size);
    MYSQL_BIND whole{};
    whole.buffer_type = MYSQL_TYPE_BLOB;
    whole.buffer = out.data();
    whole.buffer_length = size;
    whole.length = &lengths_[column];
    if (mysql_stmt_fetch_column(statement, &whole, column, 0) != 0)
      return std::unexpected(connection.statement_error(statement));
    return {};
  }

  template <typename Buffer>
  void text(std::size_t column, Buffer& buffer) {
    binds_[column].buffer_type = MYSQL_TYPE_BLOB;
    binds_[column].buffer = buffer.data();
    binds_[column].buffer_length = buffer.size();
    binds_[column].length = &lengths_[column];
  }

  std::array<MYSQL_BIND, 11> binds_{};
  std::array<std::int64_t, 7> numbers_{};
  std::array<unsigned long, 11> lengths_{};
  std::array<char, 128> peer_{};
  std::array<char, 64> client_msg_id_{};
  std::vector<char> content_;
  std::vector<char> mentions_;
  my_bool no_mentions_ = 0;
};

std::string page_sql(Box box) {
  return box == Box::kInbox
             ? "SELECT msg_seq, msg_id, group_id, group_seq, send_time, cmd_id, msg_type, msg_from, "
               "client_msg_id, msg_content, mentions FROM im_message_receive "
               "WHERE app_id = ? AND msg_to = ? AND msg_seq > ? AND msg_seq <= ? ORDER BY msg_seq LIMIT ?"
             : "SELECT msg_seq, msg_id, group_id, 0, send_time, cmd_id, msg_type, msg_to, "
               "client_msg_id, msg_content, mentions FROM im_message_send "
               "WHERE app_id = ? AND msg_from = ? AND msg_seq > ? AND msg_seq <= ? ORDER BY msg_seq LIMIT ?";
}

// Rows of one page; stops before the row that would break the budget. Answers whether it stopped.
DbResult<bool> fetch_page(MysqlConnection& connection, MYSQL_STMT* statement, const PageRequest& request,
                          std::size_t& bytes, RowBuffer& buffer, std::vector<StoredMessage>& messages) {
  bool full = false;
  while (true) {
    const int fetched = mysql_stmt_fetch(statement);
    if (fetched == MYSQL_NO_DATA) break;
    if (fetched == 1) return std::unexpected(connection.statement_error(statement));
    StoredMessage stored;
    // The box's owner is the other end of each.
    (request.box == Box::kInbox ? stored.message.to : stored.message.from) = request.user.uid;
    if (auto taken = buffer.take(connection, statement, request.box, stored); !taken)
      return std::unexpected(taken.error());
    if (!messages.empty() && bytes + stored.page_bytes() > request.byte_budget) {
      full = true;
      break;
    }
    bytes += stored.page_bytes();
    messages.push_back(std::move(stored));
  }
  mysql_stmt_free_result(statement);
  return full;
}

constexpr std::string_view kRedoColumns =
    "app_id, slot, msg_id, msg_from, msg_to, client_msg_id, msg_content, mentions, group_id, send_time, "
    "cmd_id, msg_type";

DbResult<std::vector<RedoRow>> read_redo(MysqlConnection& connection, std::string_view sql) {
  std::vector<RedoRow> rows;
  auto done = connection.query(sql, [&rows](const TextRow& row) {
    rows.push_back({.app_id = std::string(row.text(0)),
                    .slot = static_cast<Slot>(row.number(1)),
                    .message = {.id = row.number(2),
                                .from = std::string(row.text(3)),
                                .to = std::string(row.text(4)),
                                .client_msg_id = std::string(row.text(5)),
                                .content = share(std::string(row.text(6))),
                                .mentions = row.is_null(7) ? nullptr : share(std::string(row.text(7))),
                                .group_id = row.number(8),
                                .sent_ms = row.number(9),
                                .command = static_cast<std::int32_t>(row.number(10)),
                                .type = static_cast<std::int32_t>(row.number(11))}});
  });
  if (!done) return std::unexpected(done.error());
  return rows;
}

}  // namespace

DbResult<std::vector<StoredMessage>> read_page(MysqlConnection& connection, const PageRequest& request) {
  std::vector<StoredMessage> messages;
  auto statement =
      connection.statement(static_cast<std::uint64_t>(request.box), [&] { return page_sql(request.box); });
  if (!statement) return std::unexpected(statement.error());
  RowBuffer buffer;
  std::size_t bytes = 0;
  std::int64_t after = request.after;
  while (messages.size() < request.limit) {
    const std::int64_t page = std::min(messages.empty() ? kFirstPage : kNextPage,
                                       static_cast<std::int64_t>(request.limit - messages.size()));
    std::array<MYSQL_BIND, 5> parameters{};
    bind_bytes(parameters[0], request.user.app_id);
    bind_bytes(parameters[1], request.user.uid);
    bind_number(parameters[2], after);
    bind_number(parameters[3], request.up_to);
    bind_number(parameters[4], page);
    if (auto run = connection.run(*statement, parameters); !run) return std::unexpected(run.error());
    if (mysql_stmt_bind_result(*statement, buffer.binds()) != 0) {
      return std::unexpected(connection.statement_error(*statement));
    }
    const std::size_t before = messages.size();
    auto full = fetch_page(connection, *statement, request, bytes, buffer, messages);
    if (!full) return std::unexpected(full.error());
    if (*full || messages.size() - before < static_cast<std::size_t>(page)) break;
    after = messages.back().seq;
  }
  return messages;
}

DbResult<std::vector<RedoRow>> read_by_ids(MysqlConnection& connection, Slot slot,
                                           std::span<const MsgId> ids) {
  std::vector<RedoRow> rows;
  constexpr std::size_t kIds = 128;
  while (!ids.empty()) {
    const auto some = ids.first(std::min(kIds, ids.size()));
    std::string sql =
        fmt::format("SELECT {} FROM im_message_send FORCE INDEX (by_slot) WHERE slot = {} AND msg_id IN (",
                    kRedoColumns, slot);
    for (std::size_t i = 0; i < some.size(); ++i)
      fmt::format_to(std::back_inserter(sql), "{}{}", i == 0 ? "" : ",", some[i]);
    sql += ") ORDER BY msg_id";
    auto found = read_redo(connection, sql);
    if (!found) return found;
    std::ranges::move(*found, std::back_inserter(rows));
    ids = ids.subspan(some.size());
  }
  std::ranges::sort(rows, {}, [](const RedoRow& row) { return row.message.id; });
  return rows;
}

DbResult<std::vector<RedoRow>> read_above(MysqlConnection& connection, std::span<const SlotMark> marks,
                                          std::size_t limit) {
  // Constant ranges: a join with im_slot would read the whole index of a slot, as its lower bound is not a
  // constant.
  std::string sql = fmt::format("SELECT {} FROM im_message_send FORCE INDEX (by_slot) WHERE ", kRedoColumns);
  for (std::size_t i = 0; i < marks.size(); ++i) {
    fmt::format_to(std::back_inserter(sql), "{}(slot = {} AND msg_id > {})", i == 0 ? "" : " OR ",
                   marks[i].slot, marks[i].mark);
  }
  fmt::format_to(std::back_inserter(sql), " ORDER BY slot, msg_id LIMIT {}", limit);
  return read_redo(connection, sql);
}

}  // namespace hongyan::logic
