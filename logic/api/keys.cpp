#include "logic/api/keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

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

Result<std::string> ApiKeys::app_of(std::string_view authorization) const {
  constexpr std::string_view kBearer = "Bearer ";
  if (!authorization.starts_with(kBearer)) return fail(Code::kUnauthenticated, "a Bearer key is required");
  const std::string digest = sha256_hex(authorization.substr(kBearer.size()));
  const Entry* found = nullptr;
  for (const auto& entry : entries_) {
    if (entry.sha256.size() == digest.size() &&
        CRYPTO_memcmp(entry.sha256.data(), digest.data(), digest.size()) == 0) {
      found = &entry;
    }
  }
  if (found == nullptr) return fail(Code::kUnauthenticated, "the key is not known");
  return found->app_id;
}

}  // namespace hongyan::logic
