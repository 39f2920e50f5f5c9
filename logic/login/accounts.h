// What business services keep of users: registered, banned.
#pragma once

#include "logic/login/logins.h"
#include "logic/user/request.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// Answers the internal commands USER, REGISTER and BAN for the users of one slot thread. A ban is in force
// once it is committed: from then on no login is let in, and the sessions that are there are told to end. One
// thread.
class Accounts {
 public:
  Accounts(ThreadContext& context, Logins& logins) : context_(context), logins_(logins) {}

  void read(const Request& request);
  void register_user(const Request& request);
  void ban(const Request& request);

 private:
  void run(const Request& request, UserRequest wanted);
  void finished(User& user, const ReplyTo& to, UserRequest::Kind kind, const Result<StoredUser>& stored);

  ThreadContext& context_;
  Logins& logins_;
};

}  // namespace hongyan::logic
