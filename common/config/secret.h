// Secrets: in the file, in a file of their own or in the environment. Internal to common/config.
#pragma once

#include <string>

#include "common/config/schema.h"

namespace hongyan::config::detail {

struct SecretReader {
  // Fills the key's field from the form that was found, key.secret_key_: `text` is the secret, the path of its
  // file (relative to `folder`) or its name in the environment. Returns what is wrong, or "".
  [[nodiscard]] static std::string read(Key& key, const std::string& text, const std::string& folder);
};

}  // namespace hongyan::config::detail
