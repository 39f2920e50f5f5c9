// The columns of what a message is, each stated once: from these lists come the text of an INSERT and of a
// SELECT, the parameters, the literals and what is read back. A new column stands in its table's list.
#pragma once

#include <mysql.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "logic/store/message.h"
#include "logic/store/mysql/connection/connection.h"

namespace hongyan::logic {

// A column of a table, and where its value stands in a Row.
template <typename Row>
struct Column {
  std::string_view name;
  enum_field_types type;  // of a parameter; set once
  bool is_unsigned;
  void (*point)(MYSQL_BIND&, const Row&) noexcept;  // a parameter at the value, which outlives the statement
  void (*append)(std::string&, const Row&);         // the value as a literal
  void (*read)(const TextRow&, unsigned, Row&);     // from that column of a result
};

// Of bytes that are not there.
enum class Absent : std::uint8_t { kIsEmpty, kIsNull };

// Field: a member of Row, or a function from a Row to a reference.
template <typename Row, auto Field, Absent absent = Absent::kIsEmpty>
struct ColumnOf {
  using Value = std::remove_cvref_t<std::invoke_result_t<decltype(Field), Row&>>;
  static constexpr bool kShared = std::same_as<Value, SharedBytes>;
  static constexpr bool kBytes = kShared || std::same_as<Value, std::string>;

  static bool missing(const Row& row) noexcept {
    if constexpr (kShared) return absent == Absent::kIsNull && !std::invoke(Field, row);
    return false;
  }
  static std::string_view bytes(const Row& row) noexcept {
    if constexpr (kShared) {
      const SharedBytes& shared = std::invoke(Field, row);
      return shared ? std::string_view(*shared) : std::string_view();
    } else {
      return std::invoke(Field, row);
    }
  }
  static void point(MYSQL_BIND& bind, const Row& row) noexcept {
    static my_bool yes = 1;
    if constexpr (kBytes) {
      bind.is_null = missing(row) ? &yes : nullptr;
      bind_bytes(bind, bytes(row));
    } else {
      bind.buffer = const_cast<Value*>(&std::invoke(Field, row));  // NOLINT: the library only reads it
    }
  }
  static void append(std::string& sql, const Row& row) {
    if constexpr (!kBytes) {
      sql += std::to_string(std::invoke(Field, row));
    } else if (missing(row)) {
      sql += "NULL";
    } else {
      append_hex_literal(sql, bytes(row));
    }
  }
  static void read(const TextRow& result, unsigned column, Row& row) {
    auto& value = std::invoke(Field, row);
    if constexpr (kShared) {
      value = absent == Absent::kIsNull && result.is_null(column) ? nullptr
                                                                  : share(std::string(result.text(column)));
    } else if constexpr (kBytes) {
      value = result.text(column);
    } else {
      value = static_cast<Value>(result.number(column));
    }
  }
  static constexpr enum_field_types type() {
    if constexpr (kBytes) return MYSQL_TYPE_BLOB;
    return sizeof(Value) == 8 ? MYSQL_TYPE_LONGLONG : sizeof(Value) == 4 ? MYSQL_TYPE_LONG : MYSQL_TYPE_SHORT;
  }
  static constexpr bool is_unsigned() { return std::is_unsigned_v<Value>; }
};

template <typename Row, auto Field, Absent absent = Absent::kIsEmpty>
constexpr Column<Row> column(std::string_view name) {
  using Of = ColumnOf<Row, Field, absent>;
  return {name, Of::type(), Of::is_unsigned(), Of::point, Of::append, Of::read};
}

inline constexpr auto kId = column<Message, &Message::id>("msg_id");
inline constexpr auto kFrom = column<Message, &Message::from>("msg_from");
inline constexpr auto kTo = column<Message, &Message::to>("msg_to");
inline constexpr auto kClientMsgId = column<Message, &Message::client_msg_id>("client_msg_id");
inline constexpr auto kContent = column<Message, &Message::content>("msg_content");
inline constexpr auto kMentions = column<Message, &Message::mentions, Absent::kIsNull>("mentions");
inline constexpr auto kGroupId = column<Message, &Message::group_id>("group_id");
inline constexpr auto kGroupSeq = column<Message, &Message::group_seq>("group_seq");
inline constexpr auto kSentMs = column<Message, &Message::sent_ms>("send_time");
inline constexpr auto kCommand = column<Message, &Message::command>("cmd_id");
inline constexpr auto kType = column<Message, &Message::type>("msg_type");

// Of each table. The first is a number that cannot be NULL: with the fence in it the row is refused. Besides
// these a table has what says whose row it is.
using MessageColumns = std::span<const Column<Message>>;
// im_message_send; and app_id, msg_from, msg_seq, slot
inline constexpr std::array kOutboxColumns = {kCommand, kId,          kType,    kGroupId, kSentMs,
                                              kTo,      kClientMsgId, kContent, kMentions};
// im_message_receive; and app_id, msg_to, msg_seq
inline constexpr std::array kInboxColumns = {kCommand, kId,   kType,        kGroupId, kGroupSeq,
                                             kSentMs,  kFrom, kClientMsgId, kContent, kMentions};
// im_group_message; and app_id, group_id, slot, placed_id
inline constexpr std::array kGroupColumns = {kCommand, kId,          kType,    kGroupSeq, kSentMs,
                                             kFrom,    kClientMsgId, kContent, kMentions};

// "cmd_id,msg_id,..."
template <typename Columns>
[[nodiscard]] std::string names_of(const Columns& columns) {
  std::string names;
  for (const auto& one : columns) (names += names.empty() ? "" : ",") += one.name;
  return names;
}

// From as many columns of a result, `first` and on.
inline void read_message(const TextRow& result, unsigned first, MessageColumns columns, Message& message) {
  for (const auto& one : columns) one.read(result, first++, message);
}

}  // namespace hongyan::logic
