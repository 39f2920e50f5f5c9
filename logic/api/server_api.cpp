#include "logic/api/server_api.h"

#include <array>
#include <utility>

#include "common/log/audit.h"
#include "logic/message/accept.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMaxReason = 1024;
constexpr double kRefusalsPerSecond = 100;  // that the audit log tells

constexpr std::array kCalls = {
    ApiCall{http::Method::kPost, "/v1/messages", Right::kMessages, post_messages},
    ApiCall{http::Method::kPost, "/v1/tokens", Right::kTokens, post_tokens},
    ApiCall{http::Method::kGet, "/v1/users/{uid}/presence", Right::kPresence, get_presence},
    ApiCall{http::Method::kPost, "/v1/presence", Right::kPresence, post_presence},
    ApiCall{http::Method::kGet, "/v1/online", Right::kPresence, get_online},
    ApiCall{http::Method::kPost, "/v1/users/{uid}/kick", Right::kKick, post_kick},
    ApiCall{http::Method::kPost, "/v1/groups", Right::kGroups, post_groups},
    ApiCall{http::Method::kGet, "/v1/groups/{id}", Right::kGroups, get_group},
    ApiCall{http::Method::kPatch, "/v1/groups/{id}", Right::kGroups, patch_group},
    ApiCall{http::Method::kDelete, "/v1/groups/{id}", Right::kGroups, delete_group},
    ApiCall{http::Method::kGet, "/v1/groups/{id}/members", Right::kGroups, get_group_members},
    ApiCall{http::Method::kPost, "/v1/groups/{id}/members", Right::kGroups, post_group_members},
    ApiCall{http::Method::kDelete, "/v1/groups/{id}/members", Right::kGroups, delete_group_members},
    ApiCall{http::Method::kPost, "/v1/users", Right::kUsers, post_users},
    ApiCall{http::Method::kGet, "/v1/users/{uid}", Right::kUsers, get_user},
    ApiCall{http::Method::kPost, "/v1/users/{uid}/ban", Right::kBan, post_ban},
    ApiCall{http::Method::kGet, "/v1/users/{uid}/ban", Right::kBan, get_ban},
    ApiCall{http::Method::kDelete, "/v1/users/{uid}/ban", Right::kBan, delete_ban},
};

std::string_view shown_path(const http::Request& request) {
  constexpr std::size_t kMost = 256;
  return std::string_view(request.path).substr(0, kMost);
}

// A call that changes something, other than messages, for the audit log.
class AuditedCall {
 public:
  AuditedCall(const ApiCall& call, const http::Request& request) {
    if (!audit::enabled() || request.method == http::Method::kGet || request.method == http::Method::kHead)
      return;
    if (call.right == Right::kMessages || call.right == Right::kPresence) return;
    key_ = key_id_of(request.header("Authorization").value_or(""));
    address_ = request.peer;
    method_ = to_string(request.method);
    path_ = shown_path(request);
  }
  void write(Code code) const {
    if (path_.empty()) return;
    audit::write("api_call", {{"key", key_},
                              {"address", address_},
                              {"method", method_},
                              {"path", path_},
                              {"code", code_name(code)}});
  }

 private:
  std::string key_;
  std::string address_;
  std::string_view method_;
  std::string path_;
};

}  // namespace

Result<std::string> uid_of_path(const ApiRequest& request) {
  std::string uid(request.http.param("uid"));
  if (auto ok = check_id(uid, kMaxUid, "uid"); !ok) return std::unexpected(ok.error());
  return uid;
}

Result<std::string> read_reason(const Json& body) {
  if (!body.contains("reason")) return std::string();
  auto reason = read_text(body, "reason");
  if (reason && reason->size() > kMaxReason) {
    return fail(Code::kBadRequest, "reason is longer than 1024 bytes");
  }
  return reason;
}

std::span<const ApiCall> api_calls() noexcept { return kCalls; }

ServerApi::ServerApi(ApiServices services, const ApiKeys& keys)
    : services_(services),
      keys_(keys),
      buckets_(keys.size(), TokenBucket(SteadyClock::now())),
      refusals_(kRefusalsPerSecond) {}

http::Router ServerApi::routes() {
  http::Router router;
  for (const auto& call : api_calls()) {
    router.add(
        call.method, call.path,
        [this, &call](http::Request request) { return answer(this, &call, std::move(request)); },
        [this, &call](const http::Request& request) { return check_head(call, request); });
  }
  return router;
}

void ServerApi::count(Code code) noexcept {
  answered_[static_cast<std::size_t>(code)].fetch_add(1, std::memory_order_relaxed);
}

Status ServerApi::check_head(const ApiCall& call, const http::Request& request) {
  Status ok;
  const auto key = find_key(request);
  if (!key) {
    ok = std::unexpected(key.error());
  } else if (!keys_.at(*key).may(call.right)) {
    ok = fail(Code::kPermissionDenied, "the key lacks the right " + std::string(right_name(call.right)));
  }
  if (!ok) {
    count(ok.error().code);
    audit_refusal(request, ok.error().code);
  }
  return ok;
}

void ServerApi::audit_refusal(const http::Request& request, Code code) {
  if (!audit::enabled()) return;
  const auto suppressed = refusals_.allow(SteadyClock::now());
  if (!suppressed) return;
  audit::write("api_refused", {{"address", request.peer},
                               {"method", to_string(request.method)},
                               {"path", shown_path(request)},
                               {"code", code_name(code)},
                               {"suppressed", static_cast<std::int64_t>(*suppressed)}});
}

Result<std::size_t> ServerApi::find_key(const http::Request& request) const {
  const std::string_view authorization = request.header("Authorization").value_or("");
  if (!is_signature(authorization)) return keys_.find(authorization);
  const auto signature = parse_signature(authorization);
  if (!signature) return std::unexpected(signature.error());
  if (auto in_time = check_time(*signature, wall_ms() / 1000); !in_time)
    return std::unexpected(in_time.error());
  return keys_.find_by_id(signature->key_id);
}

Result<std::size_t> ServerApi::admit(const http::Request& request) {
  const auto key = find_key(request);
  if (!key) return key;
  const std::string_view authorization = request.header("Authorization").value_or("");
  if (const auto signature = parse_signature(authorization)) {
    Status good = check_signature(*signature, keys_.at(*key).sha256, request);
    if (good) good = nonces_.take(*key, signature->nonce, wall_ms() / 1000);
    if (!good) {
      audit_refusal(request, good.error().code);
      return std::unexpected(good.error());
    }
  }
  TokenBucket& bucket = buckets_[*key];
  const double rate = services_.limits.calls_per_second;
  if (!bucket.take(1, rate, SteadyClock::now())) {
    return fail(Code::kRateLimited, "too many calls with this key", bucket.wait_ms(rate));
  }
  return key;
}

net::Awaitable<Result<Json>> ServerApi::run(ServerApi* self, const ApiCall* call, http::Request request) {
  const auto key = self->admit(request);
  if (!key) co_return std::unexpected(key.error());
  ApiRequest admitted{.app_id = self->keys_.at(*key).app_id, .http = std::move(request)};
  co_return co_await call->handler(&self->services_, std::move(admitted));
}

net::Awaitable<http::Response> ServerApi::answer(ServerApi* self, const ApiCall* call,
                                                 http::Request request) {
  // Of the request, which the handler takes.
  const AuditedCall audited(*call, request);
  const auto result = co_await run(self, call, std::move(request));
  self->count(result ? Code::kOk : result.error().code);
  audited.write(result ? Code::kOk : result.error().code);
  if (!result) co_return http::error_response(result.error());
  co_return http::Response{.body = result->dump(), .headers = {}};
}

}  // namespace hongyan::logic
