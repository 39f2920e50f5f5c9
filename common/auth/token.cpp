#include "common/auth/token.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <jwt/jwt.hpp>

namespace hongyan::auth {

namespace {

constexpr int kFewestRsaBits = 2048;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999
constexpr std::array<const char*, 3> kTimes = {"exp", "nbf", "iat"};
constexpr double kLargestTime = 1e18;
constexpr std::array<const char*, 3> kNames = {"HS256", "RS256", "ES256"};

const char* name_of(TokenAlgorithm algorithm) { return kNames[static_cast<std::size_t>(algorithm)]; }

std::unexpected<Error> refuse(std::string reason) { return fail(Code::kUnauthenticated, std::move(reason)); }

// Three parts of base64url without padding (RFC 7515, 7.1). libcpp-jwt reads outside of its table for bytes beyond ASCII.
bool is_compact(std::string_view token) noexcept {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return std::ranges::all_of(token, fits) && std::ranges::count(token, '.') == 2;
}

// May throw: what libcpp-jwt thinks of a header.
nlohmann::json header_of(std::string_view token) {
  const auto dot = token.find('.');
  if (dot == std::string_view::npos) return {};
  jwt::jwt_header header;
  std::error_code ec;
  header.decode(jwt::string_view(token.data(), dot), ec);
  return ec ? nlohmann::json() : header.create_json_obj();
}

// libcpp-jwt casts times to whole numbers before it has checked the signature: only what fits may get there.
// May throw: what it thinks of a payload.
bool times_fit(std::string_view token) {
  const auto first = token.find('.');
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return false;
  jwt::jwt_payload payload;
  std::error_code ec;
  payload.decode(jwt::string_view(token.data() + first + 1, second - first - 1), ec);
  const auto claims = ec ? nlohmann::json() : payload.create_json_obj();
  if (!claims.is_object()) return false;
  return std::ranges::all_of(kTimes, [&claims](const char* name) {
    const auto time = claims.find(name);
    if (time == claims.end() || !time->is_number_float()) return true;
    const auto seconds = time->get<double>();
    return seconds >= 0 && seconds <= kLargestTime;
  });
}

// What the library says of a token, in words of our own.
std::string words_of(const std::error_code& ec) {
  if (ec == jwt::VerificationErrc::TokenExpired) return "token has expired";
  if (ec == jwt::VerificationErrc::ImmatureSignature) return "token is not valid yet";
  if (ec == jwt::VerificationErrc::InvalidSignature) return "token's signature is wrong";
  return "token is not valid";
}

Result<std::int64_t> check_claims(const nlohmann::json& claims, std::string_view app_id,
                                  std::string_view uid) {
  if (!claims.contains("exp")) return refuse("token has no exp");
  if (!claims.at("exp").is_number() || !claims.contains("sub") || !claims.at("sub").is_string() ||
      claims.at("sub").get_ref<const std::string&>() != uid) {
    return refuse("token is of another user");
  }
  if (!claims.contains("aud") || !claims.at("aud").is_string() ||
      claims.at("aud").get_ref<const std::string&>() != app_id) {
    return refuse("token is for another app");
  }
  // A number of any size: one far in the future means never.
  const auto expires = claims.at("exp").get<double>();
  if (!(expires > 0)) return refuse("token has expired");
  return expires < kLastSecond ? static_cast<std::int64_t>(expires * 1000) : kLastSecond * 1000;
}

}  // namespace

Result<TokenAlgorithm> parse_token_algorithm(std::string_view text) {
  const auto it = std::ranges::find(kNames, text);
  if (it == kNames.end()) return fail(Code::kBadRequest, "not one of HS256, RS256, ES256");
  return static_cast<TokenAlgorithm>(it - kNames.begin());
}

Status check_token_key(const TokenKey& key) {
  if (key.algorithm == TokenAlgorithm::kHs256) {
    if (key.secret.size() < 16) return fail(Code::kBadRequest, "the secret is shorter than 16 bytes");
    return {};
  }
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(key.secret.data(), static_cast<int>(key.secret.size())), &BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> parsed(
      PEM_read_bio_PUBKEY(text.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!parsed) return fail(Code::kBadRequest, "not a public key in PEM");
  if (key.algorithm == TokenAlgorithm::kRs256) {
    if (EVP_PKEY_base_id(parsed.get()) != EVP_PKEY_RSA || EVP_PKEY_bits(parsed.get()) < kFewestRsaBits) {
      return fail(Code::kBadRequest, "RS256 asks for an RSA key of 2048 bits or more");
    }
    return {};
  }
  std::array<char, 64> group{};
  std::size_t size = 0;
  const bool p256 = EVP_PKEY_base_id(parsed.get()) == EVP_PKEY_EC &&
                    EVP_PKEY_get_group_name(parsed.get(), group.data(), group.size(), &size) == 1 &&
                    std::string_view(group.data(), size) == "prime256v1";
  if (!p256) return fail(Code::kBadRequest, "ES256 asks for a key on the curve P-256");
  return {};
}

Result<const TokenKey*> JwtTokens::key_of(std::string_view app_id, const std::string* kid) const {
  const TokenKey* only = nullptr;
  const TokenKey* nameless = nullptr;
  std::size_t count = 0;
  for (const auto& key : keys_) {
    if (key.app_id != app_id) continue;
    if (kid != nullptr && !kid->empty() && key.kid == *kid) return &key;
    if (key.kid.empty()) nameless = &key;
    only = &key;
    ++count;
  }
  if (count == 0) return refuse("unknown app");
  if (count == 1) return only;
  if (kid != nullptr) return refuse("token names a key that is not known");
  if (nameless != nullptr) return nameless;
  return refuse("token does not say which key");
}

Result<std::int64_t> JwtTokens::verify(std::string_view app_id, std::string_view uid,
                                       std::string_view token) const {
  if (token.empty()) return refuse("token is empty");
  if (token.size() > kMaxTokenBytes) return refuse("token is too long");
  if (!is_compact(token)) return refuse("token does not parse");
  try {
    const auto header = header_of(token);
    if (!header.is_object()) return refuse("token does not parse");
    const auto kid = header.find("kid");
    if (kid != header.end() && !kid->is_string()) return refuse("token does not parse");
    if (!times_fit(token)) return refuse("token does not parse");
    const auto key = key_of(app_id, kid == header.end() ? nullptr : &kid->get_ref<const std::string&>());
    if (!key) return std::unexpected(key.error());
    std::error_code ec;
    const auto decoded = jwt::decode(jwt::string_view(token.data(), token.size()),
                                     jwt::params::algorithms({name_of((*key)->algorithm)}), ec,
                                     jwt::params::secret((*key)->secret), jwt::params::verify(true));
    if (ec) return refuse(words_of(ec));
    return check_claims(decoded.payload().create_json_obj(), app_id, uid);
  } catch (const std::exception&) {
    return refuse("token does not parse");
  }
}

Result<std::string> JwtTokens::sign(std::string_view app_id, std::string_view uid,
                                    std::int64_t ttl_seconds) const {
  const auto key = std::ranges::find_if(keys_, [app_id](const TokenKey& one) {
    return one.app_id == app_id && one.algorithm == TokenAlgorithm::kHs256;
  });
  if (key == keys_.end()) return fail(Code::kNotFound, "the app has no key to sign with");
  try {
    const auto now = std::chrono::system_clock::now();
    jwt::jwt_object token{jwt::params::algorithm("HS256"), jwt::params::secret(key->secret)};
    if (!key->kid.empty()) token.header().add_header("kid", key->kid);
    token.add_claim("sub", std::string(uid));
    token.add_claim("aud", std::string(app_id));
    token.add_claim("iat", now);
    token.add_claim("exp", now + std::chrono::seconds(ttl_seconds));
    return token.signature();
  } catch (const std::exception&) {
    return fail(Code::kInternal, "cannot sign");
  }
}

}  // namespace hongyan::auth
