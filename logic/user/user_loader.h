// Brings users into memory.
#pragma once

#include <functional>

#include "logic/user/cursors.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// Reads a user's tails, cursors, groups and ban when they are first needed, once for all who wait. One thread.
class UserLoader {
 public:
  UserLoader(ThreadContext& context, Cursors& cursors) : context_(context), cursors_(cursors) {}

  // Runs `then` once the user is loaded (at once, when it is already), or with why it cannot be; also when its
  // slot has left meanwhile. The slot is held.
  void load(User& user, std::function<void(const Status&)> then);

 private:
  class Load;
  void finished(User& user, const TailsWork& work);

  ThreadContext& context_;
  Cursors& cursors_;
};

}  // namespace hongyan::logic
