#include "logic/store/mysql/sql/pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "logic/store/mysql/sql/columns.h"
#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kFirstFetch = 16;  // while nothing is known of the rows
constexpr std::size_t kGrowth = 4;    // what the rows so far say of their size may be wrong of the next ones
constexpr std::size_t kSlowness = 8;  // pages, until larger rows are forgotten

// How many rows are likely to fit what is left of the budget.
std::size_t next_fetch(std::size_t row_bytes, std::size_t messages, std::size_t bytes,
                       std::size_t byte_budget) {
  if (messages == 0) return row_bytes == 0 ? kFirstFetch : byte_budget / row_bytes + 1;
  const std::size_t left = byte_budget > bytes ? byte_budget - bytes : 0;
  return std::min(kGrowth * messages, left / (bytes / messages) + 1);
}

void learn(std::size_t& row_bytes, std::size_t messages, std::size_t bytes) noexcept {
  if (messages == 0) return;
  const std::size_t mean = bytes / messages + 1;
  row_bytes = std::max(mean, row_bytes - row_bytes / kSlowness);
}

}  // namespace

// Where a page is read: table, the column of its order, and which rows.
struct PageReader::Source {
  std::string_view table;
  std::string_view seq;
  MessageColumns columns;
  std::string condition;
};

template <typename Request>
DbResult<std::vector<StoredMessage>> PageReader::read_from(MysqlConnection& connection, const Source& source,
                                                           const Request& request) {
  std::size_t& row_bytes = row_bytes_[std::hash<std::string>()(source.condition) % row_bytes_.size()];
  std::vector<StoredMessage> messages;
  std::size_t bytes = 0;
  std::int64_t after = request.after;
  bool full = false;
  while (!full && messages.size() < request.limit) {
    const std::size_t most = std::min(next_fetch(row_bytes, messages.size(), bytes, request.byte_budget),
                                      request.limit - messages.size());
    std::size_t fetched = 0;
    auto done = connection.query(
        fmt::format("SELECT {0},{1} FROM {2} WHERE {3} AND {0} > {4} AND {0} <= {5} ORDER BY {0} LIMIT {6}",
                    source.seq, names_of(source.columns), source.table, source.condition, after,
                    request.up_to, most),
        [&](const TextRow& row) {
          ++fetched;
          StoredMessage stored{.seq = row.number(0), .message = {}};
          read_message(row, 1, source.columns, stored.message);
          full = full || (!messages.empty() && bytes + stored.page_bytes() > request.byte_budget);
          if (full) return;
          bytes += stored.page_bytes();
          messages.push_back(std::move(stored));
        });
    if (!done) return std::unexpected(done.error());
    if (fetched < most) break;
    after = messages.back().seq;
  }
  learn(row_bytes, messages.size(), bytes);
  return messages;
}

DbResult<std::vector<StoredMessage>> PageReader::read(MysqlConnection& connection,
                                                      const PageRequest& request) {
  const bool inbox = request.box == Box::kInbox;
  Source source{.table = inbox ? "im_message_receive" : "im_message_send",
                .seq = "msg_seq",
                .columns = inbox ? MessageColumns(kInboxColumns) : MessageColumns(kOutboxColumns),
                .condition = "app_id = "};
  append_hex_literal(source.condition, request.user.app_id);
  source.condition += inbox ? " AND msg_to = " : " AND msg_from = ";
  append_hex_literal(source.condition, request.user.uid);
  auto messages = read_from(connection, source, request);
  if (!messages) return messages;
  // The box's owner is the other end of each.
  for (StoredMessage& stored : *messages)
    (inbox ? stored.message.to : stored.message.from) = request.user.uid;
  return messages;
}

DbResult<std::vector<StoredMessage>> PageReader::read(MysqlConnection& connection,
                                                      const GroupPageRequest& request) {
  const Source source{.table = "im_group_message",
                      .seq = "group_seq",
                      .columns = kGroupColumns,
                      .condition = group_condition(request.app_id, request.group_id)};
  auto messages = read_from(connection, source, request);
  if (!messages) return messages;
  for (StoredMessage& stored : *messages) stored.message.group_id = request.group_id;
  return messages;
}

}  // namespace hongyan::logic
