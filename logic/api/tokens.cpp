#include "logic/api/tokens.h"

#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "logic/message/accept.h"

namespace hongyan::logic {

namespace {

constexpr std::int64_t kDefaultTtl = 86'400;
constexpr std::int64_t kLongestTtl = std::int64_t{366} * 86'400;

Result<http::Response> make_token(const http::Request& request, const ApiKeys& keys,
                                  const TokenSigner& signer) {
  const auto app = keys.app_of(request.header("Authorization").value_or(""));
  if (!app) return std::unexpected(app.error());
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) return fail(Code::kBadRequest, "the body is not a JSON object");
  const auto uid = body.find("uid");
  if (uid == body.end() || !uid->is_string()) return fail(Code::kBadRequest, "uid is missing or not a text");
  const auto& name = uid->get_ref<const std::string&>();
  if (auto ok = check_id(name, kMaxUid, "uid"); !ok) return std::unexpected(ok.error());
  std::int64_t ttl = kDefaultTtl;
  if (const auto wanted = body.find("ttl_seconds"); wanted != body.end()) {
    if (!wanted->is_number_integer()) return fail(Code::kBadRequest, "ttl_seconds is not a whole number");
    ttl = wanted->get<std::int64_t>();
  }
  if (ttl < 1 || ttl > kLongestTtl) return fail(Code::kBadRequest, "ttl_seconds is out of range");
  auto token = signer.sign(*app, name, ttl);
  if (!token) return std::unexpected(token.error());
  const nlohmann::json answer = {{"token", *token}, {"expires_at", wall_ms() + ttl * 1000}};
  return http::Response{.body = answer.dump(), .headers = {}};
}

}  // namespace

void add_token_routes(http::Router& router, const ApiKeys& keys, const TokenSigner& signer) {
  router.add(http::Method::kPost, "/v1/tokens", [&keys, &signer](const http::Request& request) {
    return [](http::Request r, const ApiKeys* k, const TokenSigner* s) -> net::Awaitable<http::Response> {
      auto made = make_token(r, *k, *s);
      co_return made ? *made : http::error_response(made.error());
    }(request, &keys, &signer);
  });
}

}  // namespace hongyan::logic
