// Questions of one slot thread to groups' owners.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "logic/group/mail.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// One thread. Every question is answered: with kUnavailable when nobody has within kPatience. Who is no longer the
// group's owner, or is lost before it has answered, is asked no more, but its successor is, once.
class GroupAsks {
 public:
  static constexpr Milliseconds kPatience{2000};

  using Then = std::function<void(GroupReply)>;
  GroupAsks(ThreadContext& context, GroupMailbox& mailbox) : context_(context), mailbox_(mailbox) {}

  // Asker and number of the question are filled in.
  void ask(GroupAsk ask, Then then);
  void replied(GroupReply reply);
  // The link to the node is gone, and what was asked on it.
  void node_down(owners::NodeId node);
  void tick();

 private:
  struct Waiting {
    GroupAsk ask;
    Then then;
    owners::NodeId asked = 0;
    bool again = false;  // the second time
  };
  void send(Waiting& waiting);
  void end(std::uint64_t number, GroupReply reply);

  ThreadContext& context_;
  GroupMailbox& mailbox_;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::deque<std::pair<SteadyTime, std::uint64_t>> deadlines_;
  std::vector<std::uint64_t> unheard_;  // to be asked once more
  std::uint64_t next_ = 1;
};

}  // namespace hongyan::logic
