// What the server API asks of the owner of a slot (proto/internal.proto).
#pragma once

#include "logic/group/group_calls.h"
#include "logic/login/accounts.h"
#include "logic/login/logins.h"
#include "logic/message/accept.h"
#include "logic/message/push.h"
#include "logic/user/request.h"

namespace hongyan::logic {

// Internal commands start here; all below are clients'.
[[nodiscard]] bool is_internal(std::uint32_t cmd_id) noexcept;

// Answers the internal commands for the users of one slot thread. Who lets requests in makes sure that they
// come from a logic node. One thread.
class ServerCalls {
 public:
  ServerCalls(ThreadContext& context, Accept& accept, Pusher& pusher, Logins& logins, GroupCalls& group_calls)
      : context_(context),
        accept_(accept),
        pusher_(pusher),
        logins_(logins),
        group_calls_(group_calls),
        accounts_(context, logins) {}

  void handle(const Request& request);

 private:
  void store(const Request& request);
  // Runs it once the slot's sessions are known, if the slot is served then.
  void with_sessions(const Request& request, void (ServerCalls::*then)(const Request&));
  void push(const Request& request);
  void presence(const Request& request);
  void kick(const Request& request);
  void online(const Request& request);

  ThreadContext& context_;
  Accept& accept_;
  Pusher& pusher_;
  Logins& logins_;
  GroupCalls& group_calls_;
  Accounts accounts_;
};

}  // namespace hongyan::logic
