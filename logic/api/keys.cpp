#include "logic/api/keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "common/base/assert.h"

namespace hongyan::logic {

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HONGYAN_ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string_view right_name(Right right) noexcept {
  switch (right) {
    case Right::kMessages:
      return "messages";
    case Right::kTokens:
      return "tokens";
    case Right::kPresence:
      return "presence";
    case Right::kKick:
      return "kick";
    case Right::kGroups:
      return "groups";
    case Right::kUsers:
      return "users";
    case Right::kBan:
      return "ban";
  }
  return "?";
}

Result<Right> parse_right(std::string_view name) {
  for (const Right right : kRights) {
    if (right_name(right) == name) return right;
  }
  return fail(Code::kBadRequest, fmt::format("no right is called \"{}\"", name));
}

bool ApiKey::may(Right right) const noexcept { return std::ranges::find(rights, right) != rights.end(); }

Result<std::size_t> ApiKeys::find_by_id(std::string_view id) const {
  const auto named = [id](const ApiKey& key) {
    return std::string_view(key.sha256).substr(0, kKeyIdDigits) == id;
  };
  const auto found = std::ranges::find_if(keys_, named);
  if (found == keys_.end()) return fail(Code::kUnauthenticated, "the key is not known");
  return static_cast<std::size_t>(found - keys_.begin());
}

Result<std::size_t> ApiKeys::find(std::string_view authorization) const {
  if (!authorization.starts_with(kBearer))
    return fail(Code::kUnauthenticated, "a Bearer key or a signature is required");
  const std::string digest = sha256_hex(authorization.substr(kBearer.size()));
  std::size_t found = keys_.size();
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const std::string& known = keys_[i].sha256;
    if (known.size() == digest.size() && CRYPTO_memcmp(known.data(), digest.data(), digest.size()) == 0)
      found = i;
  }
  if (found == keys_.size()) return fail(Code::kUnauthenticated, "the key is not known");
  return found;
}

}  // namespace hongyan::logic
