// Calls of the server API that are signed with a key instead of carrying it: for networks without TLS.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "common/base/result.h"
#include "common/http/message.h"

namespace hongyan::logic {

// Authorization: HMAC-SHA256 key=0123456789ab,time=1767225600,nonce=5a1c…,signature=6fd0…
struct Signature {
  std::string_view key_id;     // the first 12 digits of the key's SHA-256
  std::int64_t time = 0;       // seconds since 1970
  std::string_view nonce;      // 16 to 64 characters, of which none comes twice within the window
  std::string_view signature;  // 64 hex digits
};
[[nodiscard]] bool is_signature(std::string_view authorization) noexcept;
// Views into the header. Error kUnauthenticated, with what is wrong.
[[nodiscard]] Result<Signature> parse_signature(std::string_view authorization);

// The id of the key that an Authorization header carries or is signed with, known or not; empty without one. For the
// audit log.
[[nodiscard]] std::string key_id_of(std::string_view authorization);

// HMAC-SHA256, in lower-case hex, with the key's SHA-256 in lower-case hex as its key, over
//   METHOD "\n" target "\n" time "\n" nonce "\n" SHA-256 of the body in hex
// The digest is what the server knows of a key: whoever reads its configuration can sign, as whoever guesses a key can.
[[nodiscard]] std::string sign_request(std::string_view key_sha256, const http::Request& request,
                                       std::int64_t time, std::string_view nonce);

// Signatures are good for so long before and after their time.
inline constexpr std::int64_t kSignatureSeconds = 300;
// Error kUnauthenticated.
[[nodiscard]] Status check_time(const Signature& signature, std::int64_t now);
[[nodiscard]] Status check_signature(const Signature& signature, std::string_view key_sha256,
                                     const http::Request& request);

// The nonces of signatures that are still good, so that nobody sends a request again that they overheard. Of this node: a
// request can be played to each node once more within the window, where its client_msg_id makes it the same message.
// One loop.
class Nonces {
 public:
  static constexpr std::size_t kMost = 200'000;  // beyond: kRateLimited
  // Error kUnauthenticated: it was there already. key: who it belongs to.
  [[nodiscard]] Status take(std::size_t key, std::string_view nonce, std::int64_t now);

 private:
  std::unordered_set<std::string> seen_;
  std::deque<std::pair<std::int64_t, std::string>> by_time_;  // when it may be forgotten
};

}  // namespace hongyan::logic
