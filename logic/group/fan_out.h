// From a group's order to its members.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "logic/group/mail.h"
#include "logic/group/rules.h"
#include "logic/message/lane.h"
#include "logic/store/group_rows.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// Gives every member of a group what is theirs of a message that has its place: a row for the inbox, by a
// lane; of a large group a push to who is online. What changes somebody's own part in the group comes by the
// inbox in a large group as well, and then not by the group. One thread.
//
// The message's placed_id is unfinished once more for each row.
class FanOut {
 public:
  FanOut(ThreadContext& context, Lanes& lanes, GroupMailbox& mailbox)
      : context_(context), lanes_(lanes), mailbox_(mailbox) {}

  struct Group {
    const GroupKey& key;
    Slot slot;
    const GroupState& state;
  };

  // Just committed. change: what a command did; null: a plain message. Who left is still among the members,
  // who joined is already. everybody: the members' audience, made when it is null.
  void send(const Group& group, const GroupRow& row, const GroupChange* change,
            std::shared_ptr<const Audience>& everybody);

  // A message found after a start, which may have reached some.
  struct Again {
    GroupRow row;
    bool all = false;                // it lies above the mark; else it goes only to
    std::vector<Slot> destinations;  // what stands in im_pending
  };
  // history: all who were members at that message or later.
  void send_again(const Group& group, const std::vector<GroupMember>& history, const Again& again);

 private:
  [[nodiscard]] static Membership stay_of(const Group& group, const GroupMember& member, std::int64_t seq);
  struct ToMember {
    bool lookup_first = false;
    std::optional<Membership> membership;
    std::size_t members = 0;        // as broadcast()
    SharedBytes content = nullptr;  // instead of the row's
  };
  // To somebody who is no member: by the inbox, in every group.
  void invite(const Group& group, const GroupRow& row, const std::string& uid, bool lookup_first);
  void add(const Group& group, const GroupRow& row, const std::string& uid, ToMember what);
  // Who hears of it by the inbox, as it changes their own part.
  struct Parted {
    std::vector<std::string> joined = {};
    std::vector<std::string> left = {};
  };
  // members: with a change, how many there are now; 0: not told.
  void broadcast(const GroupKey& key, const GroupRow& row, const std::shared_ptr<const Audience>& audience,
                 std::size_t members, const Parted& parted);
  // Those members whom the message concerns.
  [[nodiscard]] std::shared_ptr<const Audience> audience_of(
      const Group& group, const std::function<bool(const std::string& uid)>& hears) const;

  ThreadContext& context_;
  Lanes& lanes_;
  GroupMailbox& mailbox_;
};

}  // namespace hongyan::logic
