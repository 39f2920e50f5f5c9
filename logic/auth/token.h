// Who a client is: tokens.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace hongyan::logic {

// Checks a client's token. Any thread. Implementations: JWT by key (make_jwt_verifier).
class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;
  // Fine: the token proves that its holder is `uid` of `app_id`, until the returned time (ms since 1970).
  // Error: kUnauthenticated with a reason that may be told to the client.
  [[nodiscard]] virtual Result<std::int64_t> verify(std::string_view app_id, std::string_view uid,
                                                    std::string_view token) const = 0;
};

// The tokens that Hongyan signs itself, for apps without an account system of their own.
class TokenSigner {
 public:
  virtual ~TokenSigner() = default;
  [[nodiscard]] virtual Result<std::string> sign(std::string_view app_id, std::string_view uid,
                                                 std::int64_t ttl_seconds) const = 0;
};

struct TokenKey {
  std::string app_id;
  std::string secret;  // HS256
};

// JWT with HS256: `sub` = uid, `aud` = app_id, `exp` required, `nbf` honored; the algorithm is fixed by the
// key, never taken from the token.
class JwtHs256 : public TokenVerifier, public TokenSigner {
 public:
  static constexpr std::size_t kMaxTokenBytes = 4096;

  explicit JwtHs256(std::vector<TokenKey> keys);
  [[nodiscard]] Result<std::int64_t> verify(std::string_view app_id, std::string_view uid,
                                            std::string_view token) const override;
  [[nodiscard]] Result<std::string> sign(std::string_view app_id, std::string_view uid,
                                         std::int64_t ttl_seconds) const override;

 private:
  std::map<std::string, std::string, std::less<>> secrets_;  // by app
};

}  // namespace hongyan::logic
