// What a daemon says about itself on /healthz.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace hongyan::metrics {

enum class HealthState : std::uint8_t {
  kOk,
  kDegraded,  // serves, but something is missing: Redis away
  kFailing,   // does not serve: 503
};
[[nodiscard]] std::string_view to_string(HealthState state) noexcept;

struct HealthCheck {
  HealthState state = HealthState::kOk;
  std::string text;  // for people: "shard 2: connection refused"

  bool operator==(const HealthCheck&) const = default;
};

// Checks by name. The daemon's state is its worst check's. Any thread.
class Health {
 public:
  // Sets what was found, until set again.
  void set(const std::string& name, HealthState state, std::string text = {});
  // Asked each time instead; runs on the asking thread and must not block. What it refers to outlives the
  // health's users.
  void add(const std::string& name, std::function<HealthCheck()> ask);
  void remove(const std::string& name);

  struct Report {
    HealthState state = HealthState::kOk;
    std::map<std::string, HealthCheck> checks;
  };
  [[nodiscard]] Report report() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::function<HealthCheck()>> checks_;
};

// {"status":"degraded","checks":{"redis":{"status":"degraded","text":"…"}}}
[[nodiscard]] std::string to_json(const Health::Report& report);

}  // namespace hongyan::metrics
