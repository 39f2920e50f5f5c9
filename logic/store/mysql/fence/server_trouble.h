// What one thread of a shard has to say about a server that refuses its statements.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "logic/store/mysql/connection/db_error.h"
#include "logic/store/mysql/state/shard_state.h"

namespace hongyan::logic {

// Owned and used by one thread; the state outlives it. Logs a warning when the trouble begins or becomes
// another, then every ten seconds with how often; names the reason in the shard's health; says how long the
// server is to be left alone.
class ServerTrouble {
 public:
  // who: "writer 0", for logs.
  ServerTrouble(std::string shard, ShardState& state, std::string who)
      : shard_(std::move(shard)), state_(state), who_(std::move(who)) {}

  // A call failed. Only for the log.
  void failed(const DbError& error, bool perhaps_stored);
  // Something was given up for this error: health says so for a while, and what would meet it again is to be
  // put off, longer each time.
  void refused(const DbError& error);
  // It works.
  void over();

  [[nodiscard]] bool resting(SteadyTime now) const noexcept { return now < rest_until_; }

 private:
  const std::string shard_;
  ShardState& state_;
  const std::string who_;
  unsigned last_code_ = 0;
  std::string last_message_;
  SteadyTime last_warning_{};
  std::uint64_t unlogged_ = 0;
  int rests_ = 0;
  unsigned unknown_ = 0;
  SteadyTime rest_until_{};
  bool told_ = false;
};

}  // namespace hongyan::logic
