// The users that a slot thread holds in memory: their sessions, tails and what is under way for them.
#pragma once

#include <algorithm>
#include <array>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/base/device_class.h"
#include "common/base/slot.h"
#include "logic/store/rows.h"
#include "logic/user/gate_port.h"

namespace hongyan::logic {

class AcceptWork;

// A push that the device has not acknowledged yet.
struct UnackedPush {
  std::int64_t seq = 0;
  MsgId msg_id = 0;
  std::uint32_t cmd_id = 0;
  SharedBytes body;             // null: not kept, the resend is a SYNC_NOTIFY
  std::uint32_t seq_field = 0;  // not 0: the body goes with the seq in this field
};

// A logged-in device.
struct Session {
  std::uint64_t number = 0;  // of this thread, never reused: for timers that outlive the session
  DeviceClass device_class = DeviceClass::kUnknown;
  std::uint32_t device_type = 0;
  std::string device_id;
  std::uint64_t channel = 0;
  std::uint64_t login_epoch = 0;
  std::int64_t expires_ms = 0;  // its token, ms since 1970; 0: not known
  GatePortPtr gate;
  std::int64_t last_active_ms = 0;
  std::deque<UnackedPush> unacked;  // by seq
  std::unordered_map<std::int64_t, std::int64_t>
      group_pushes;              // of large groups: the last one pushed, until due
  bool behind = false;           // pushes were left out (window full, link full): tell it to pull
  bool owes_ack = false;         // resent in vain: tell it to pull at its next sign of life
  std::uint64_t push_round = 0;  // Pusher: the gathered pushes of this round have one for this session,
  std::size_t push_place = 0;    // at this place at last
  std::string_view end_reason;   // why it is about to end, once it was kicked; static storage
  bool told = false;             // its login was told as an event
  // The session in whose place this one is, while the gate has not said that the client of this one is there.
  std::unique_ptr<Session> replaced;

  // What AuthResp told the client.
  [[nodiscard]] std::uint64_t id() const noexcept { return login_epoch ^ (channel << 16); }
};

// A group that the user is, or was, a member of.
class UserGroup {
 public:
  // Of each stay the higher changed_seq wins.
  void learn(const Membership& told);

  // The stay that began last.
  [[nodiscard]] const Membership& membership() const noexcept { return latest_; }
  [[nodiscard]] bool is_member() const noexcept { return latest_.changed_seq != 0 && latest_.left_seq == 0; }
  [[nodiscard]] bool large() const noexcept { return latest_.large_from_seq != 0; }

  // What may be read of a large group in one go: first <= group_seq <= last.
  struct Span {
    std::int64_t first = 0;
    std::int64_t last = 0;  // kNoEnd: a member
  };
  static constexpr std::int64_t kNoEnd = INT64_MAX;
  // The next beyond seq, of the stay that has it. Empty: there will be nothing more, as things stand.
  [[nodiscard]] std::optional<Span> readable_after(std::int64_t seq) const noexcept;

  // How far the devices of the class hold the group: what was acknowledged, or up to what they may read next.
  [[nodiscard]] std::int64_t cursor(DeviceClass device_class) const noexcept;

  std::array<std::int64_t, kDeviceClassCount> acked{};  // cursors in a large group
  std::uint8_t changed_cursors = 0;                     // those to be written, a bit each

 private:
  Membership latest_;
  std::vector<Span> earlier_;  // of stays that ended before; ascending
};
static_assert(kDeviceClassCount <= 8);

struct User {
  UserKey key;
  Slot slot = 0;
  // Committed tails; empty until known.
  std::optional<std::int64_t> inbox_seq;
  std::optional<std::int64_t> outbox_seq;
  std::vector<std::unique_ptr<Session>> sessions;             // present ones: at most one a device class
  std::array<std::int64_t, kDeviceClassCount> acked_inbox{};  // cursors
  std::array<std::int64_t, kDeviceClassCount> acked_outbox{};
  std::array<std::uint64_t, kDeviceClassCount> highest_epoch{};
  std::unordered_map<std::int64_t, UserGroup> groups;  // by group_id
  bool loaded = false;                                 // tails, cursors and groups were read, by a TailsWork
  std::uint16_t changed_cursors = 0;                   // those to be written, a bit each
  bool changed_group_cursors = false;
  std::unique_ptr<Ban> ban;  // null: none; it may be over
  bool ban_known = false;    // what a TailsWork read of it before is older
  // Sends at the writer, owned by it, by client_msg_id (that of the work itself).
  std::unordered_map<std::string_view, AcceptWork*> accepting;
  std::vector<std::function<void(const Status&)>> waiting_for_load;
  std::int64_t last_active_ms = 0;  // of sessions that ended
  std::uint32_t busy = 0;           // works under way: keeps the user in memory
  boost::intrusive::list_member_hook<> lru_hook;

  [[nodiscard]] bool evictable() const noexcept {
    return sessions.empty() && accepting.empty() && waiting_for_load.empty() && busy == 0 &&
           changed_cursors == 0 && !changed_group_cursors;
  }
  // Null: not a member, as far as is known.
  [[nodiscard]] UserGroup* group(std::int64_t group_id) noexcept;
  // Of those present.
  [[nodiscard]] Session* session_of(DeviceClass device_class) noexcept;
  [[nodiscard]] Session* session_on(const GatePort& gate, std::uint64_t channel) noexcept;
  // Those that were replaced, too. `visit` removes none.
  template <typename Visit>
  void for_each_session(Visit visit) const {
    for (const auto& present : sessions) {
      for (Session* one = present.get(); one != nullptr; one = one->replaced.get()) visit(*one);
    }
  }
};

// Users by key. Past `capacity` those longest untouched that nothing needs are forgotten. One thread.
class UserTable {
 public:
  explicit UserTable(std::size_t capacity) : capacity_(capacity) {}
  ~UserTable();
  UserTable(const UserTable&) = delete;
  UserTable& operator=(const UserTable&) = delete;

  // Finds or makes the user, and marks it as used now. The reference stays valid until the user is forgotten,
  // which happens in trim() only.
  User& get(std::string_view app_id, std::string_view uid, Slot slot);
  [[nodiscard]] User* find(std::string_view app_id, std::string_view uid);

  // Between events: forgets what is beyond the capacity.
  void trim();
  void for_each(const std::function<void(User&)>& visit);

  [[nodiscard]] std::size_t size() const noexcept { return users_.size(); }
  // There are more than fit: what is forgotten does not suffice.
  [[nodiscard]] bool full() const noexcept { return users_.size() > capacity_; }

 private:
  struct KeyView {
    std::string_view app_id;
    std::string_view uid;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const noexcept;
    std::size_t operator()(const UserKey& key) const noexcept {
      return (*this)(KeyView{key.app_id, key.uid});
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const noexcept {
      return a.uid == b.uid && a.app_id == b.app_id;
    }
  };
  using Lru = boost::intrusive::list<
      User, boost::intrusive::member_hook<User, boost::intrusive::list_member_hook<>, &User::lru_hook>>;

  const std::size_t capacity_;
  std::unordered_map<UserKey, std::unique_ptr<User>, Hash, Equal> users_;
  Lru lru_;  // longest untouched first
};

}  // namespace hongyan::logic
