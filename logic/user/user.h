// A user in memory: sessions, tails, groups, and what is under way.
#pragma once

#include <array>
#include <boost/intrusive/list_hook.hpp>
#include <boost/intrusive/options.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/device_class.h"
#include "common/base/result.h"
#include "common/base/slot.h"
#include "common/base/token_bucket.h"
#include "logic/store/box_works.h"
#include "logic/user/app_rules.h"
#include "logic/user/session.h"
#include "logic/user/user_groups.h"

namespace hongyan::logic {

class AcceptWork;

// Belongs to a UserTable, and to its slot thread.
struct User {
  UserKey key;
  Slot slot = 0;
  const AppRules* rules = nullptr;  // its app's; never null in a UserTable
  // Committed tails; empty until known.
  std::optional<std::int64_t> inbox_seq;
  std::optional<std::int64_t> outbox_seq;
  std::vector<std::unique_ptr<Session>> sessions;             // present ones: at most one a device class
  std::array<std::int64_t, kDeviceClassCount> acked_inbox{};  // cursors
  std::array<std::int64_t, kDeviceClassCount> acked_outbox{};
  std::array<std::uint64_t, kDeviceClassCount> highest_epoch{};
  UserGroups groups;
  bool loaded = false;                // tails, cursors and groups were read, by a TailsWork
  std::uint16_t changed_cursors = 0;  // those to be written, a bit each
  bool changed_group_cursors = false;
  std::unique_ptr<Ban> ban;  // null: none; it may be over
  bool ban_known = false;    // what a TailsWork read of it before is older
  // Sends at the writer, owned by it, by client_msg_id (that of the work itself).
  std::unordered_map<std::string_view, AcceptWork*> accepting;
  TokenBucket fan_out{SteadyTime{}};   // what its sends may still store
  TokenBucket uploaded{SteadyTime{}};  // what it may still upload
  std::size_t uploads = 0;             // under way, and their bytes
  std::size_t upload_bytes = 0;
  std::size_t lists = 0;             // LIST_MY_GROUPS under way
  std::size_t pulls = 0;             // under way
  TokenBucket pulled{SteadyTime{}};  // what it may still pull
  std::vector<std::function<void(const Status&)>> waiting_for_load;
  std::int64_t last_active_ms = 0;  // of sessions that ended
  std::uint32_t busy = 0;           // works under way: keeps the user in memory
  bool retired = false;             // its slot has left: only what is under way still knows it
  boost::intrusive::list_member_hook<> lru_hook;
  boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> slot_hook;

  [[nodiscard]] bool evictable() const noexcept {
    return sessions.empty() && unknown_to_all() && changed_cursors == 0 && !changed_group_cursors;
  }
  // Nothing that is under way knows it.
  [[nodiscard]] bool unknown_to_all() const noexcept {
    return accepting.empty() && waiting_for_load.empty() && busy == 0;
  }
  // Null: not a member, as far as is known.
  [[nodiscard]] UserGroup* group(std::int64_t group_id) noexcept { return groups.find(group_id); }
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

}  // namespace hongyan::logic
