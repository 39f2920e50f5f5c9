#include "common/metrics/health.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace hongyan::metrics {

std::string_view to_string(HealthState state) noexcept {
  static constexpr std::array<std::string_view, 3> kNames = {"ok", "degraded", "failing"};
  return kNames[static_cast<std::size_t>(state)];
}

void Health::set(const std::string& name, HealthState state, std::string text) {
  add(name, [check = HealthCheck{.state = state, .text = std::move(text)}] { return check; });
}

void Health::add(const std::string& name, std::function<HealthCheck()> ask) {
  const std::scoped_lock lock(mutex_);
  checks_[name] = std::move(ask);
}

void Health::remove(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  checks_.erase(name);
}

Health::Report Health::report() const {
  std::map<std::string, std::function<HealthCheck()>> checks;
  {
    const std::scoped_lock lock(mutex_);
    checks = checks_;
  }
  Report report;
  for (const auto& [name, ask] : checks) {
    const auto& check = report.checks[name] = ask();
    report.state = std::max(report.state, check.state);
  }
  return report;
}

std::string to_json(const Health::Report& report) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::object();
  for (const auto& [name, check] : report.checks) {
    checks[name] = {{"status", to_string(check.state)}, {"text", check.text}};
  }
  const nlohmann::ordered_json json = {{"status", to_string(report.state)}, {"checks", checks}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace hongyan::metrics
