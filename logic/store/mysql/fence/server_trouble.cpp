#include "logic/store/mysql/fence/server_trouble.h"

#include "common/base/backoff.h"
#include "common/log/log.h"

namespace hongyan::logic {

namespace {
constexpr std::chrono::seconds kBetweenWarnings{10};
constexpr Milliseconds kFirstRest{20};
constexpr Milliseconds kLongestRest{640};
constexpr unsigned kUnknownBeforeRest = 3;
}  // namespace

void ServerTrouble::failed(const DbError& error, bool perhaps_stored) {
  const SteadyTime now = SteadyClock::now();
  ++unlogged_;
  const bool same = error.code == last_code_ && (error.code != 0 || error.message == last_message_);
  if (same && now - last_warning_ < kBetweenWarnings) return;
  log::warn("store", "the server refuses shard={} who={} times={} perhaps_stored={} error=\"{}\"", shard_,
            log::quoted(who_), unlogged_, perhaps_stored, error.text());
  last_code_ = error.code;
  last_message_ = error.message;
  last_warning_ = now;
  unlogged_ = 0;
}

void ServerTrouble::refused(const DbError& error) {
  told_ = true;
  state_.set_trouble(who_, error.reason());
  if (error.fault == DbFault::kLost || error.fault == DbFault::kConflict) return;
  // What is not known may be of one row only.
  if (error.fault == DbFault::kOther && ++unknown_ < kUnknownBeforeRest) return;
  rest_until_ = SteadyClock::now() + doubled(kFirstRest, kLongestRest, rests_++);
}

void ServerTrouble::over() {
  if (!told_) return;
  told_ = false;
  rests_ = unknown_ = 0;
  rest_until_ = {};
  state_.clear_trouble(who_);
}

}  // namespace hongyan::logic
