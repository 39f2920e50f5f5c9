#include "iplist/demo.h"

#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "common/log/audit.h"
#include "common/protocol/ids.h"

namespace hongyan::iplist {

namespace {

Result<std::string> read_uid(const std::string& body) {
  const auto root = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || root.size() != 1 || !root.contains("uid") || !root["uid"].is_string()) {
    return fail(Code::kBadRequest, R"(the body is {"uid":"…"}, in UTF-8)");
  }
  auto uid = root["uid"].get<std::string>();
  if (!protocol::is_id(uid, protocol::kMaxUid)) {
    return fail(Code::kBadRequest, "a uid has 1 to 128 bytes without NUL");
  }
  return uid;
}

}  // namespace

Demo::Demo(const DemoConfig& config)
    : config_(config), tokens_({{.app_id = config.app_id, .secret = config.token_secret}}) {}

void Demo::add_routes(http::Router& router) const {
  router.add_simple(http::Method::kPost, "/demo/token",
                    [this](const http::Request& request) { return token(request); });
}

http::Response Demo::token(const http::Request& request) const {
  const auto uid = read_uid(request.body);
  if (!uid) return http::error_response(uid.error());
  const auto token = tokens_.sign(config_.app_id, *uid, config_.token_ttl_seconds);
  if (!token) return http::error_response(token.error());
  audit::write("token_minted", {{"app", config_.app_id},
                                {"uid", *uid},
                                {"ttl_seconds", std::int64_t{config_.token_ttl_seconds}},
                                {"address", request.peer}});
  const std::int64_t expires = wall_ms() + std::int64_t{1000} * config_.token_ttl_seconds;
  http::Response response;
  response.body =
      nlohmann::json{{"token", *token}, {"app_id", config_.app_id}, {"uid", *uid}, {"expires_at", expires}}
          .dump();
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace hongyan::iplist
