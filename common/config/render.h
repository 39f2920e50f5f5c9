// Fields as TOML text. Internal to common/config.
#pragma once

#include <string>
#include <string_view>

#include "common/config/schema.h"

namespace hongyan::config::detail {

// A basic TOML string with its quotes.
[[nodiscard]] std::string quote(std::string_view text);
// The field's value now. Empty for secrets and tables.
[[nodiscard]] std::string render(const Target& target);
// "text", "duration", ...: what a wrong type's error and the printed help call it.
[[nodiscard]] std::string_view type_name(const Target& target);

}  // namespace hongyan::config::detail
