// Routes in Redis: which gate holds a user's device. A cache of what the owner knows; it may be emptied at
// any time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "logic/user/user.h"

namespace hongyan::logic {

// Lives on a slot thread; calls only queue and never fail: what Redis misses, the next refresh writes again.
class RouteStore {
 public:
  virtual ~RouteStore() = default;
  // Written only over a route with a lower login epoch; expires after the given time.
  virtual void put(const User& user, const Session& session) = 0;
  // Removed only when the route still has this login epoch.
  virtual void remove(const User& user, const Session& session) = 0;
};

}  // namespace hongyan::logic
