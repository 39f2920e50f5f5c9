// What came of groups' commands, on its way to who sent them.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "logic/group/mail.h"
#include "logic/message/works.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// At the groups' owner. Whoever is told that a command was done finds it done: the answer waits until the
// rows of the members are there, at most kPatience. It goes to the owner of the slot of who sent the
// command. One thread.
class CommandOutcomes {
 public:
  static constexpr Milliseconds kPatience{2000};

  CommandOutcomes(const ThreadContext& context, GroupMailbox& mailbox)
      : context_(context), mailbox_(mailbox) {}

  // placed_id: of the message that tells the members; 0: there is none, and nothing to wait for.
  void answer(const DeliverWork& command, CtrlAnswer answer, MsgId placed_id = 0);
  // Every member's row of this message is committed.
  void fanned_out(MsgId placed_id);
  void tick();

 private:
  struct Waiting {
    Slot slot = 0;  // of who sent the command
    CtrlAnswer answer;
    SteadyTime until;
  };

  const ThreadContext& context_;
  GroupMailbox& mailbox_;
  std::unordered_map<MsgId, Waiting> waiting_;  // by placed_id
};

}  // namespace hongyan::logic
