// Whether the clients of logins are there.
#pragma once

#include <cstdint>
#include <deque>

#include "logic/login/session_table.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// A login whose client has gone meanwhile (it waited for storage, or in the buffers of a stopped process)
// must not end the session of one that is there. So a login takes an older session's place at once, but
// the older one is kicked only when the gate has confirmed that the client of the newer one is there, and
// comes back when the gate says that it is not. A gate that says nothing for kPatience is believed to
// have confirmed: it may be older than confirmations. One thread.
class Confirmations {
 public:
  static constexpr Milliseconds kPatience{2500};

  Confirmations(ThreadContext& context, SessionTable& table) : context_(context), table_(table) {}

  // The session is present from now on; one that replaces none needs no confirmation.
  void await(User& user, Session& session);
  // The client of the session is there: those that it replaced are kicked, and its login is told as an
  // event.
  void confirm(User& user, Session& session);
  // Confirms those whose gates have had their time.
  void tick();

 private:
  struct Unconfirmed {
    SteadyTime until;
    GatePortPtr gate;
    std::uint64_t channel = 0;
    std::uint64_t session = 0;  // its number
  };

  ThreadContext& context_;
  SessionTable& table_;
  std::deque<Unconfirmed> unconfirmed_;
};

}  // namespace hongyan::logic
