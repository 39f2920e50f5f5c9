// Questions of one slot thread to groups' owners.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "logic/group/mail.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// One thread. Every question is answered: at the latest when the shard of the group refuses.
class GroupAsks {
 public:
  using Then = std::function<void(GroupReply)>;
  GroupAsks(ThreadContext& context, GroupMailbox& mailbox) : context_(context), mailbox_(mailbox) {}

  // thread and number of the question are filled in.
  void ask(GroupAsk ask, Then then);
  void replied(GroupReply reply);

 private:
  ThreadContext& context_;
  GroupMailbox& mailbox_;
  std::unordered_map<std::uint64_t, Then> waiting_;
  std::uint64_t next_ = 1;
};

}  // namespace hongyan::logic
