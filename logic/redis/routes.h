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

  // To be called once a second. Sets a marker of this process, which also tells whether Redis takes writes.
  // rewrite: all routes are to be put again, because the marker was missing or a route was not taken since;
  // less often while that does not help.
  void check(const std::string& marker, std::function<void()> rewrite);

 private:
  void run_script(std::string_view script, const User& user, const Session& session, std::string_view value);

  const std::shared_ptr<RedisClient> redis_;
  const std::string ttl_ms_;
  // Shared with the answers on their way.
  struct State {
    bool marked = false;  // once
    bool missed = false;  // a route was not taken since the last rewriting
    bool failed = false;  // so since the last check
    unsigned pause = 0;   // checks between two rewritings, less one
    unsigned since = 0;   // checks since the last
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace hongyan::logic
