// From TOML to the bound fields. Internal to common/config; toml++ is slow to compile and stays in two files.
#pragma once

#include <toml++/toml.h>

#include <string>

#include "common/config/schema.h"

namespace hongyan::config::detail {

// Fills the key's field; nothing for secrets and tables. Returns what is wrong, or "".
[[nodiscard]] std::string assign(const Key& key, const toml::node& node);
[[nodiscard]] bool is_empty(const Target& target);

}  // namespace hongyan::config::detail
