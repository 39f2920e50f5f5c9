// Who may call the server API, and what.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace hongyan::logic {

// What a key may be allowed to do. Which call needs which: api_calls() (logic/api/server_api.h).
enum class Right : std::uint8_t { kMessages, kTokens, kPresence, kKick, kGroups, kUsers, kBan };
inline constexpr std::array kRights = {Right::kMessages, Right::kTokens, Right::kPresence, Right::kKick,
                                       Right::kGroups,   Right::kUsers,  Right::kBan};
// As the configuration writes it: "messages" and so on. Static storage.
[[nodiscard]] std::string_view right_name(Right right) noexcept;
// Error kBadRequest.
[[nodiscard]] Result<Right> parse_right(std::string_view name);

// A key, known by its SHA-256 only.
struct ApiKey {
  std::string app_id;
  std::string sha256;  // lower-case hex
  std::vector<Right> rights;

  [[nodiscard]] bool may(Right right) const noexcept;
};

// Immutable; any thread.
class ApiKeys {
 public:
  explicit ApiKeys(std::vector<ApiKey> keys) : keys_(std::move(keys)) {}

  // Index of the key of an "Authorization: Bearer KEY" header. Error: kUnauthenticated. Compares in constant
  // time with every key.
  [[nodiscard]] Result<std::size_t> find(std::string_view authorization) const;

  // Of a key by its id, as signed calls name it: the first digits of its SHA-256. Error: kUnauthenticated.
  [[nodiscard]] Result<std::size_t> find_by_id(std::string_view id) const;

  [[nodiscard]] const ApiKey& at(std::size_t index) const { return keys_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

 private:
  std::vector<ApiKey> keys_;
};

// The digits of a key's SHA-256 by which the audit log and signed calls name it.
inline constexpr std::size_t kKeyIdDigits = 12;
inline constexpr std::string_view kBearer = "Bearer ";

// Lower-case hex of the SHA-256.
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace hongyan::logic
