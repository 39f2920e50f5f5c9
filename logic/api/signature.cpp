#include "logic/api/signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/base/assert.h"
#include "common/base/text.h"
#include "logic/api/keys.h"

namespace hongyan::logic {

namespace {

constexpr std::string_view kScheme = "HMAC-SHA256 ";
constexpr std::size_t kShortestNonce = 16;
constexpr std::size_t kLongestNonce = 64;
constexpr std::size_t kDigits = 64;

bool is_nonce(std::string_view text) noexcept {
  return text.size() >= kShortestNonce && text.size() <= kLongestNonce &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_';
         });
}

std::unexpected<Error> refuse(std::string_view what) {
  return fail(Code::kUnauthenticated, std::string(what));
}

}  // namespace

bool is_signature(std::string_view authorization) noexcept { return authorization.starts_with(kScheme); }

Result<Signature> parse_signature(std::string_view authorization) {
  if (!is_signature(authorization)) return refuse("not a signature");
  std::string_view rest = authorization.substr(kScheme.size());
  Signature signature;
  std::optional<std::int64_t> time;
  std::size_t fields = 0;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    const std::string_view field = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = std::min(field.find('='), field.size());
    const std::string_view name = field.substr(0, equals);
    const std::string_view value = field.substr(std::min(equals + 1, field.size()));
    ++fields;
    if (name == "key") signature.key_id = value;
    if (name == "time") time = parse_number<std::int64_t>(value);
    if (name == "nonce") signature.nonce = value;
    if (name == "signature") signature.signature = value;
  }
  if (fields != 4 || signature.key_id.empty() || !time)
    return refuse("a signature has key, time, nonce and signature");
  if (!is_nonce(signature.nonce)) return refuse("a nonce has 16 to 64 letters and digits");
  if (signature.signature.size() != kDigits) return refuse("a signature has 64 hex digits");
  signature.time = *time;
  return signature;
}

std::string key_id_of(std::string_view authorization) {
  if (is_signature(authorization)) {
    const auto signature = parse_signature(authorization);
    return signature ? std::string(signature->key_id.substr(0, kKeyIdDigits)) : std::string();
  }
  if (!authorization.starts_with(kBearer)) return {};
  return sha256_hex(authorization.substr(kBearer.size())).substr(0, kKeyIdDigits);
}

std::string sign_request(std::string_view key_sha256, const http::Request& request, std::int64_t time,
                         std::string_view nonce) {
  const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}", to_string(request.method), request.target, time,
                                       nonce, sha256_hex(request.body));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HONGYAN_ASSERT(::HMAC(EVP_sha256(), key_sha256.data(), static_cast<int>(key_sha256.size()),
                        reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
                        &size) != nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

Status check_time(const Signature& signature, std::int64_t now) {
  if (signature.time > now - kSignatureSeconds && signature.time < now + kSignatureSeconds) return {};
  return refuse("the time of the signature is more than five minutes off");
}

Status check_signature(const Signature& signature, std::string_view key_sha256,
                       const http::Request& request) {
  const std::string expected = sign_request(key_sha256, request, signature.time, signature.nonce);
  const bool matches = expected.size() == signature.signature.size() &&
                       CRYPTO_memcmp(expected.data(), signature.signature.data(), expected.size()) == 0;
  if (matches) return {};
  return refuse("the signature does not fit the request");
}

Status Nonces::take(std::size_t key, std::string_view nonce, std::int64_t now) {
  while (!by_time_.empty() && by_time_.front().first <= now) {
    seen_.erase(by_time_.front().second);
    by_time_.pop_front();
  }
  std::string named = fmt::format("{}/{}", key, nonce);
  if (seen_.contains(named)) return refuse("the nonce was used before");
  if (seen_.size() >= kMost) return fail(Code::kRateLimited, "too many signed calls", kRetryLaterMs);
  // Its time may lie as far ahead as behind.
  by_time_.emplace_back(now + 2 * kSignatureSeconds, named);
  seen_.insert(std::move(named));
  return {};
}

}  // namespace hongyan::logic
