// What an app lets its users do, and how much: part of [[apps]] of logic's configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/token_bucket.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

// So many bytes a second, and at once what was not used before.
struct ByteRate {
  std::size_t per_second = 0;  // 0: no limit
  std::size_t burst = 0;

  [[nodiscard]] Rate rate() const noexcept {
    return {.per_second = static_cast<double>(per_second), .burst = static_cast<double>(burst)};
  }
};

// Who may add others to a group.
enum class Invite : std::uint8_t {
  kMembers,
  kOwner,
  kConsent,  // all members, but who is added by a client is only invited, and joins by itself
};

// The name in the configuration.
[[nodiscard]] std::optional<Invite> parse_invite(std::string_view name) noexcept;

// Of each user of the app, where nothing else is said. Services of the server API are not users.
struct AppRules {
  std::string group_invite = "members";                        // one that parse_invite() knows
  ByteRate upload{.per_second = 1 << 20, .burst = 16 << 20};   // to business services
  std::size_t pulls = 2;                                       // under way at once; others wait
  ByteRate pull{.per_second = 16 << 20, .burst = 64 << 20};    // of pages
  ByteRate fan_out{.per_second = 1 << 20, .burst = 16 << 20};  // rows that sends make, to all who get them
};

// A key relative to the app's table each. The rules outlive the schema.
void bind(config::Schema& schema, AppRules& rules);

// The rules of all apps. Immutable after start; any thread.
class RulesOfApps {
 public:
  void set(const std::string& app_id, AppRules rules) { by_app_[app_id] = std::move(rules); }
  // Of an app that was not set: the defaults. The reference lives as long as this.
  [[nodiscard]] const AppRules& of(std::string_view app_id) const noexcept {
    const auto it = by_app_.find(app_id);
    return it == by_app_.end() ? usual_ : it->second;
  }

 private:
  std::map<std::string, AppRules, std::less<>> by_app_;
  AppRules usual_;
};

}  // namespace hongyan::logic
