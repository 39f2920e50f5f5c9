#include "logic/auth/token.h"

#include <chrono>
#include <jwt/jwt.hpp>

namespace hongyan::logic {

JwtHs256::JwtHs256(std::vector<TokenKey> keys) {
  for (auto& key : keys) secrets_[key.app_id] = std::move(key.secret);
}

Result<std::int64_t> JwtHs256::verify(std::string_view app_id, std::string_view uid,
                                      std::string_view token) const {
  const auto refuse = [](std::string reason) { return fail(Code::kUnauthenticated, std::move(reason)); };
  const auto secret = secrets_.find(app_id);
  if (secret == secrets_.end()) return refuse("unknown app");
  if (token.empty()) return refuse("token is empty");
  if (token.size() > kMaxTokenBytes) return refuse("token is too long");
  try {
    std::error_code ec;
    const auto decoded =
        jwt::decode(jwt::string_view(token.data(), token.size()), jwt::params::algorithms({"HS256"}), ec,
                    jwt::params::secret(secret->second), jwt::params::verify(true));
    if (ec) return refuse("token is not valid: " + ec.message());
    const auto& payload = decoded.payload();
    if (!payload.has_claim("exp")) return refuse("token has no exp");
    const auto& claims = payload.create_json_obj();
    if (!claims.at("exp").is_number() || !claims.contains("sub") || !claims.at("sub").is_string() ||
        claims.at("sub").get_ref<const std::string&>() != uid) {
      return refuse("token is of another user");
    }
    if (!claims.contains("aud") || !claims.at("aud").is_string() ||
        claims.at("aud").get_ref<const std::string&>() != app_id) {
      return refuse("token is for another app");
    }
    return claims.at("exp").get<std::int64_t>() * 1000;
  } catch (const std::exception&) {
    return refuse("token does not parse");
  }
}

Result<std::string> JwtHs256::sign(std::string_view app_id, std::string_view uid,
                                   std::int64_t ttl_seconds) const {
  const auto secret = secrets_.find(app_id);
  if (secret == secrets_.end()) return fail(Code::kNotFound, "unknown app");
  try {
    const auto now = std::chrono::system_clock::now();
    jwt::jwt_object token{jwt::params::algorithm("HS256"), jwt::params::secret(secret->second)};
    token.add_claim("sub", std::string(uid));
    token.add_claim("aud", std::string(app_id));
    token.add_claim("iat", now);
    token.add_claim("exp", now + std::chrono::seconds(ttl_seconds));
    return token.signature();
  } catch (const std::exception& e) {
    return fail(Code::kInternal, std::string("cannot sign: ") + e.what());
  }
}

}  // namespace hongyan::logic
