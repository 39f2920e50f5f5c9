// What the pipeline asks of a writer of outboxes and inboxes: rows to store, tails, and what became of them.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/base/device_class.h"
#include "common/base/msg_id.h"
#include "common/base/result.h"
#include "common/base/slot.h"
#include "logic/store/message.h"

namespace hongyan::logic {

struct UserKey {
  std::string app_id;
  std::string uid;

  bool operator==(const UserKey&) const = default;
};

// One thing for a thread that writes to do. Made by a slot's thread, which gives it away with Shard::submit
// and gets the same object back, with its result filled in, through WriterSink::completed. In between it
// belongs to that thread of the shard.
class StoreWork {
 public:
  enum class Outcome : std::uint8_t {
    kPending,
    kStored,   // committed and flushed by this work
    kExists,   // was committed before: same (user, client_msg_id) or same (user, msg_id)
    kRefused,  // certainly not stored by this work; `error` says why (kUnavailable: try again)
    kParked,   // can never be stored; stands in im_parked
  };

  virtual ~StoreWork() = default;
  StoreWork(const StoreWork&) = delete;
  StoreWork& operator=(const StoreWork&) = delete;

  // About how much memory and packet space it takes; queues are limited by it.
  [[nodiscard]] virtual std::size_t bytes() const noexcept = 0;
  // It is refused: those that would overtake it are to be refused, too.
  virtual void break_chain() noexcept {}
  // It is refused before its turn has come: frees what whoever made it does not need again.
  virtual void drop_content() noexcept {}

  UserKey user;   // whose row: the sender's (outbox) or the receiver's (inbox); a group: app only
  Slot slot = 0;  // the user's slot, or the group's
  std::uint64_t slot_epoch = 0;  // under which it was made: under another one it is refused. 0: under any
  std::uint32_t thread = 0;      // slot thread that gets it back
  // Not begun by then: refused with kUnavailable. Work once sent to the server is seen through, however long
  // it takes.
  SteadyTime deadline = SteadyTime::max();

  Outcome outcome = Outcome::kPending;
  Error error;             // with kRefused and kParked
  bool slot_lost = false;  // with kRefused: the slot is not this node's

 protected:
  StoreWork() = default;
};

// What follows are the works for the writer of a user. The pipeline derives from them to keep its own context
// beside them; come_back() gives the work, as what it is, to the part of the pipeline that waits for it. On
// its slot thread, once.

// A row of im_message_send, the sender's. message.id and seq are given by the writer when the batch is built.
class OutboxWork : public StoreWork {
 public:
  virtual void come_back(std::unique_ptr<OutboxWork> /*self*/) {}
  [[nodiscard]] std::size_t bytes() const noexcept override { return user.app_id.size() + message.bytes(); }
  void drop_content() noexcept override {
    message.content.reset();
    message.mentions.reset();
  }

  Message message;
  // Only looked up: answered as kExists when it is stored, else refused with this.
  std::optional<Error> unless_stored;

  // Result, with kStored and kExists. With kExists, message.id and sent_ms are the stored ones, and
  // stored_for is what the client_msg_id was first used for, so that the caller can compare.
  std::int64_t seq = 0;
  Target stored_for;
};

// A user's stay in a group, as the user's own list of groups has it (im_user_group): who leaves and comes
// back has another one.
struct Membership {
  std::int64_t group_id = 0;
  std::int64_t changed_seq = 0;  // group_seq of the message that made it so: of one stay the higher one wins
  std::int64_t joined_seq = 0;
  std::int64_t left_seq = 0;        // 0: a member
  std::int64_t large_from_seq = 0;  // 0: the group is not large

  // What is read from the group itself, first <= group_seq <= last: what changed the user's own part came by the
  // inbox. last: kNoEnd for a member; first > last: nothing.
  static constexpr std::int64_t kNoEnd = INT64_MAX;
  [[nodiscard]] std::int64_t first_readable() const noexcept {
    return std::max(large_from_seq, joined_seq + 1);
  }
  [[nodiscard]] std::int64_t last_readable() const noexcept {
    if (large_from_seq == 0) return 0;
    return left_seq == 0 ? kNoEnd : left_seq - 1;
  }
  // It has ended and leaves nothing to read: nobody needs it any more.
  [[nodiscard]] bool is_over() const noexcept { return left_seq != 0 && first_readable() > last_readable(); }

  bool operator==(const Membership&) const = default;
};

// A row of im_message_receive, the receiver's. message.id is given; seq comes from the writer.
class InboxWork : public StoreWork {
 public:
  virtual void come_back(std::unique_ptr<InboxWork> /*self*/) {}
  [[nodiscard]] std::size_t bytes() const noexcept override {
    return user.app_id.size() + user.uid.size() + message.bytes();
  }
  void break_chain() noexcept override {
    if (chain_broken) *chain_broken = true;
  }

  Message message;
  // Redo or retry: the row may be there already, so look before inserting.
  bool lookup_first = false;
  // Shared by rows that keep their order or wait: once the writer refused one of them it refuses those after
  // it. Null: none.
  std::shared_ptr<bool> chain_broken;
  // Written to the receiver's list of groups in the same transaction.
  std::optional<Membership> membership;

  std::int64_t seq = 0;  // result, with kStored and kExists
};

// im_user_cursor.kind; written to disk, never renumbered.
enum class CursorKind : std::uint8_t { kInbox = 1, kOutbox = 2, kGroup = 3 };

// How far the devices of one class acknowledged one of a user's boxes, or a large group.
struct DeviceCursor {
  DeviceClass device_class = DeviceClass::kUnknown;
  CursorKind kind = CursorKind::kInbox;
  std::int64_t seq = 0;
  std::int64_t group_id = 0;  // with kGroup
};

// Until when a user is not let in.
struct Ban {
  std::int64_t until_ms = 0;  // since 1970; 0: not banned
  std::string reason = {};    // told to the user
};
inline constexpr std::int64_t kForever = INT64_MAX;

// Asks for a user's committed tails, in order with the user's rows, and for the cursors, the ban and the list
// of groups as last written.
class TailsWork : public StoreWork {
 public:
  virtual void come_back(std::unique_ptr<TailsWork> /*self*/) {}
  [[nodiscard]] std::size_t bytes() const noexcept override { return 128; }

  std::int64_t inbox_seq = 0;  // result, with kStored
  std::int64_t outbox_seq = 0;
  std::vector<DeviceCursor> cursors;
  std::vector<Membership> groups;
  Ban ban;  // as last written; it may be over
};

// One of the three, owned: what a writer is given and gives back.
class WriterWorkPtr {
  using Any =
      std::variant<std::unique_ptr<OutboxWork>, std::unique_ptr<InboxWork>, std::unique_ptr<TailsWork>>;

 public:
  template <typename Work>
    requires std::constructible_from<Any, std::unique_ptr<Work>>
  WriterWorkPtr(std::unique_ptr<Work> work) : work_(std::move(work)) {}  // NOLINT: as unique_ptr to its base

  // Work: OutboxWork, InboxWork or TailsWork. Null: it is another.
  template <typename Work>
  [[nodiscard]] Work* as() const noexcept {
    const auto* work = std::get_if<std::unique_ptr<Work>>(&work_);
    return work == nullptr ? nullptr : work->get();
  }
  [[nodiscard]] StoreWork& operator*() const noexcept {
    return std::visit([](const auto& work) -> StoreWork& { return *work; }, work_);
  }
  [[nodiscard]] StoreWork* operator->() const noexcept { return &**this; }

  void come_back() && {
    std::visit(
        [](auto& work) {
          auto& self = *work;
          self.come_back(std::move(work));
        },
        work_);
  }

 private:
  Any work_;
};

// A message of a box or of a group's order, as read back. seq: its number there.
struct StoredMessage {
  std::int64_t seq = 0;
  Message message;

  // What it takes in a page, at most: with the numbers and each mention's tag and length.
  [[nodiscard]] std::size_t page_bytes() const noexcept { return 96 + message.bytes(); }
};

// An accepted message that may not be fanned out yet, as redo reads it from im_message_send.
struct RedoRow {
  std::string app_id;
  Slot slot = 0;  // the sender's
  Message message;
};

}  // namespace hongyan::logic
