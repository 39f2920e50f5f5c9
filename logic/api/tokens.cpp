#include "common/base/clock.h"
#include "common/log/audit.h"
#include "logic/api/server_api.h"
#include "logic/message/accept.h"

namespace hongyan::logic {

namespace {

constexpr std::int64_t kDefaultTtl = 86'400;
constexpr std::int64_t kLongestTtl = std::int64_t{366} * 86'400;

Result<Json> make_token(const auth::TokenSigner& signer, const ApiRequest& request) {
  const auto body = parse_object(request.http.body, {"uid", "ttl_seconds"});
  if (!body) return std::unexpected(body.error());
  const auto uid = read_id(*body, "uid", kMaxUid);
  if (!uid) return std::unexpected(uid.error());
  const auto ttl = read_int(*body, "ttl_seconds", kDefaultTtl, 1, kLongestTtl);
  if (!ttl) return std::unexpected(ttl.error());
  auto token = signer.sign(request.app_id, *uid, *ttl);
  if (!token) return std::unexpected(token.error());
  audit::write("token_minted", {{"app", request.app_id},
                                {"uid", *uid},
                                {"ttl_seconds", *ttl},
                                {"key", key_id_of(request.http.header("Authorization").value_or(""))},
                                {"address", request.http.peer}});
  return Json{{"token", *token}, {"expires_at", wall_ms() + *ttl * 1000}};
}

}  // namespace

net::Awaitable<Result<Json>> post_tokens(const ApiServices* services, ApiRequest request) {
  co_return make_token(services->signer, request);
}

}  // namespace hongyan::logic
