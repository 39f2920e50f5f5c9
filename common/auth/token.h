// Who a client is: tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace hongyan::auth {

// Checks a client's token. Any thread. Implementation: JwtTokens.
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

enum class TokenAlgorithm : std::uint8_t { kHs256, kRs256, kEs256 };
// "HS256" and so on. Error: kBadRequest.
[[nodiscard]] Result<TokenAlgorithm> parse_token_algorithm(std::string_view text);

struct TokenKey {
  std::string app_id;
  std::string secret;  // HS256: the secret; RS256, ES256: the public key, PEM
  std::string kid = {};
  TokenAlgorithm algorithm = TokenAlgorithm::kHs256;
};

// Whether the key's text fits its algorithm: an RSA key of 2048 bits or more, a key on P-256. Error:
// kBadRequest.
[[nodiscard]] Status check_token_key(const TokenKey& key);

// JWT: `sub` = uid, `aud` = app_id, `exp` required, `nbf` honored. Immutable; any thread.
//
// The algorithm is fixed by the key, never taken from the token: a token signed with HS256 by the text of an
// RSA public key is refused. An app's only key checks every token. Of several keys the token's `kid` picks
// one, and a token without `kid` is checked with the key that has none. So a key is rotated by adding the new
// one, and taking the old one away when the last of its tokens has expired.
class JwtTokens : public TokenVerifier, public TokenSigner {
 public:
  static constexpr std::size_t kMaxTokenBytes = 4096;

  explicit JwtTokens(std::vector<TokenKey> keys) : keys_(std::move(keys)) {}
  [[nodiscard]] Result<std::int64_t> verify(std::string_view app_id, std::string_view uid,
                                            std::string_view token) const override;
  // With the app's first HS256 key. Error: kNotFound when it has none.
  [[nodiscard]] Result<std::string> sign(std::string_view app_id, std::string_view uid,
                                         std::int64_t ttl_seconds) const override;

 private:
  // kid: null when the token names none.
  [[nodiscard]] Result<const TokenKey*> key_of(std::string_view app_id, const std::string* kid) const;

  const std::vector<TokenKey> keys_;
};

}  // namespace hongyan::auth
