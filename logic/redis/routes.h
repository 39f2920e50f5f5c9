// Routes in Redis: route:{app:uid} is a hash, a field a device class.
#pragma once

#include <memory>
#include <string>

#include "logic/redis/client.h"
#include "logic/user/route_store.h"

namespace hongyan::logic {

// The value of a field: "login epoch|gate|boot id|channel|device type|last active ms|device id". Scripts
// compare the epoch, so that a late write never goes over a later login. Lives on one slot thread's loop.
class RedisRoutes : public RouteStore {
 public:
  // ttl: routes not refreshed for so long expire.
  RedisRoutes(std::shared_ptr<RedisClient> redis, Milliseconds ttl);

  void put(const User& user, const Session& session) override;
  void remove(const User& user, const Session& session) override;

  // Asks whether Redis was emptied since the last call (a marker of this process is missing), and sets the
  // marker.
  void check_emptied(const std::string& marker, std::function<void()> emptied);

 private:
  void run_script(std::string_view script, const User& user, const Session& session, std::string_view value);

  const std::shared_ptr<RedisClient> redis_;
  const std::string ttl_ms_;
  bool marked_ = false;
};

}  // namespace hongyan::logic
