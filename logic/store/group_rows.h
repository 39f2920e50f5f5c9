// What a group's owner asks of its shard: the group's order, its members and its own row.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "logic/store/box_works.h"

namespace hongyan::logic {

// A row of im_group_message. placed_id: what the group's slot counts as unfinished.
struct GroupRow {
  Message message;  // with group_id and group_seq
  MsgId placed_id = 0;

  [[nodiscard]] std::size_t bytes() const noexcept { return 40 + message.bytes(); }
};

// im_group_msgs.
struct GroupInfo {
  std::string name;
  std::string announcement;
  std::string owner;
  std::string create_user;
  std::int64_t create_time = 0;
  std::int64_t large_from_seq = 0;  // 0: not large
  std::int64_t dissolved_seq = 0;   // 0: it lives
};

// im_group_users.
struct GroupMember {
  std::string uid;
  std::int64_t joined_seq = 0;
  std::int64_t left_seq = 0;  // 0: a member
};

// im_group_invite: who was asked to join, and has not yet.
struct GroupInvite {
  std::string uid;
  std::int64_t invited_seq = 0;
};

// im_ctrl_outcome.
struct CtrlOutcome {
  MsgId msg_id = 0;
  Error error;         // kOk: done
  std::string result;  // a serialised GroupOpResult
};

// A group's row as redo reads it.
struct GroupRedoRow {
  std::string app_id;
  Slot slot = 0;  // the group's
  GroupRow row;
};

// One thing about one group. The owner has at most one of them under way for a group, so that it can number
// rows itself: what is numbered is stored with these numbers or not at all.
class GroupWork : public StoreWork {
 public:
  enum class Op : std::uint8_t {
    kLoad,   // the group, its head and its members
    kFind,   // which of `ids` are in the group's order, and what came of those that are commands
    kStore,  // rows, and what a command changed, in one transaction
  };

  explicit GroupWork(Op what) noexcept : op(what) {}
  [[nodiscard]] std::size_t bytes() const noexcept override {
    std::size_t size =
        200 + ids.size() * 8 + (joined.size() + left.size() + invited.size() + uninvited.size()) * 64;
    for (const auto& row : rows) size += row.bytes();
    return size;
  }

  const Op op;
  std::int64_t group_id = 0;

  // kLoad: also members who left at this message or later. 0: none.
  std::int64_t left_since = 0;
  // kLoad: also the messages above this group_seq, into `rows`. Where they are too many, head is the last of
  // them.
  std::optional<std::int64_t> rows_after;
  bool found = false;  // result, with kStored
  std::int64_t head = 0;
  std::vector<GroupMember> members;
  std::vector<GroupInvite> invites;

  std::vector<MsgId> ids;     // kFind
  std::vector<MsgId> placed;  // its results, with kStored
  std::vector<CtrlOutcome> outcomes;

  // kStore. kRefused with kAlreadyExists: one of the messages is in the group's order already, or another at
  // its place. kParked: can never be stored.
  std::vector<GroupRow> rows;
  std::optional<GroupInfo> info;    // kLoad: result; kStore: the group's row from now on
  std::vector<std::string> joined;  // at the first row's group_seq
  std::vector<std::string> left;
  std::vector<std::string> invited;
  std::vector<std::string> uninvited;  // they joined, or are no longer wanted
  bool all_left = false;               // and nobody is invited any more
  std::optional<CtrlOutcome> answer;   // of a command
};
using GroupWorkPtr = std::unique_ptr<GroupWork>;

}  // namespace hongyan::logic
