// Who may call the server API.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace hongyan::logic {

// Keys of the server API, known by their SHA-256 only. Immutable; any thread.
class ApiKeys {
 public:
  struct Entry {
    std::string app_id;
    std::string sha256;  // hex
  };
  explicit ApiKeys(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  // The app that the key of an "Authorization: Bearer KEY" header belongs to. Error: kUnauthenticated.
  // Compares in constant time with every entry.
  [[nodiscard]] Result<std::string> app_of(std::string_view authorization) const;

 private:
  std::vector<Entry> entries_;
};

// Lower-case hex of the SHA-256.
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace hongyan::logic
