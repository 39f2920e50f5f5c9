#include "logic/redis/routes.h"

#include <fmt/format.h>

#include <algorithm>

namespace hongyan::logic {

namespace {

// KEYS[1] route; ARGV: field, epoch, value, ttl in ms.
constexpr std::string_view kPut = R"lua(
local old = redis.call('HGET', KEYS[1], ARGV[1])
if old and tonumber(string.match(old, '^%d+')) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1)lua";

constexpr std::string_view kRemove = R"lua(
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or string.match(old, '^%d+') ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1]))lua";

constexpr unsigned kMostPause = 31;

}  // namespace

RedisRoutes::RedisRoutes(std::shared_ptr<RedisClient> redis, Milliseconds ttl)
    : redis_(std::move(redis)), ttl_ms_(std::to_string(ttl.count())) {}

void RedisRoutes::run_script(std::string_view script, const User& user, const Session& session,
                             std::string_view value) {
  const std::string key = fmt::format("route:{{{}:{}}}", user.key.app_id, user.key.uid);
  const std::string field = std::to_string(static_cast<int>(session.device_class));
  const std::string epoch = std::to_string(session.login_epoch);
  redis_->command({"EVAL", script, "1", key, field, epoch, value, ttl_ms_},
                  [state = state_](const Result<std::string>& answer) {
                    if (!answer) state->missed = state->failed = true;
                  });
}

void RedisRoutes::put(const User& user, const Session& session) {
  run_script(kPut, user, session,
             fmt::format("{}|{}|{}|{}|{}|{}|{}", session.login_epoch, session.gate->gate_id(),
                         session.gate->boot_id(), session.channel, session.device_type,
                         session.last_active_ms, session.device_id));
}

void RedisRoutes::remove(const User& user, const Session& session) { run_script(kRemove, user, session, {}); }

void RedisRoutes::check(const std::string& marker, std::function<void()> rewrite) {
  redis_->command({"SET", marker, "1", "GET"},
                  [state = state_, redis = redis_.get(),
                   rewrite = std::move(rewrite)](const Result<std::string>& before) {
                    const bool failed = std::exchange(state->failed, false);
                    if (!before) {
                      state->missed = true;
                      return;
                    }
                    if (!failed) {
                      redis->works();
                      state->pause = 0;
                    }
                    const bool missing = before->empty() && std::exchange(state->marked, true);
                    if (!missing && (!state->missed || ++state->since <= state->pause)) return;
                    state->missed = false;
                    state->since = 0;
                    if (failed) state->pause = std::min(state->pause * 2 + 1, kMostPause);
                    rewrite();
                  });
}

}  // namespace hongyan::logic
