// What slot threads tell each other about groups.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "logic/message/group_key.h"
#include "logic/store/box_works.h"
#include "logic/user/peer_port.h"
#include "logic/user/slot_owners.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// The members of a large group, by slot thread. Immutable.
struct Audience {
  std::vector<std::vector<std::string>> of_thread;
};

// A message of a large group is committed: for its members that are online, and whoever is asked for the
// head.
struct GroupBroadcast {
  GroupKey group;
  std::int64_t group_seq = 0;
  MsgId msg_id = 0;
  std::uint32_t cmd_id = 0;  // of the push
  SharedBytes body;
  std::shared_ptr<const Audience> audience;
  std::size_t members = 0;  // with a change: how many there are now; 0: not told
  // With a change: who hears of it by the inbox.
  std::vector<std::string> joined = {};
  std::vector<std::string> left = {};
};

// What came of a command, for who sent it.
struct CtrlAnswer {
  MsgId msg_id = 0;
  Error error;         // kOk: done
  std::string result;  // a serialised GroupOpResult
};

// A question to a group's owner.
struct GroupAsk {
  Origin asker;  // and its number for the question
  std::uint64_t number = 0;
  GroupKey group;
  std::string uid;  // on whose behalf; empty: nobody's, with a service's rights
  bool with_group = true;
  bool with_members = false;
  std::int64_t offset = 0;  // of members, by uid
  std::size_t limit = 0;
  bool follow = false;  // it is to hear of what is committed from now on
};

struct GroupReply {
  std::uint64_t number = 0;
  Error error;  // kOk: the rest holds
  std::int64_t head = 0;
  std::size_t members = 0;
  bool large = false;
  client::GroupOpResult result;
  bool not_owner = false;   // it was asked of one that does not own the group's slot
  owners::NodeId from = 0;  // as SlotOwners numbers them; filled in on arrival
};

// Mail of one turn from one slot thread to another of its node.
struct GroupMail {
  std::vector<GroupBroadcast> broadcasts;
  std::vector<CtrlAnswer> answers;
  std::vector<GroupAsk> asks;
  std::vector<GroupReply> replies;
  [[nodiscard]] bool empty() const noexcept {
    return broadcasts.empty() && answers.empty() && asks.empty() && replies.empty();
  }
};

// Takes what is for others; only queues. What is for another node may be lost on the way.
class GroupMailbox {
 public:
  virtual ~GroupMailbox() = default;
  // To the group's owner.
  virtual void ask(GroupAsk ask) = 0;
  virtual void reply(const Origin& to, GroupReply reply) = 0;
  // To the owner of the slot.
  virtual void answer(Slot slot, CtrlAnswer answer) = 0;
  // To the slot threads of this node, and to those of other nodes that follow the group.
  virtual void broadcast(GroupBroadcast message) = 0;
};

}  // namespace hongyan::logic
