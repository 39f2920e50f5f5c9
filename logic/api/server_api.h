// The server API for business services (docs/openapi.yaml), on the control loop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/auth/token.h"
#include "common/base/msg_id.h"
#include "common/base/token_bucket.h"
#include "common/http/router.h"
#include "common/log/line_limit.h"
#include "logic/api/caller.h"
#include "logic/api/config.h"
#include "logic/api/json.h"
#include "logic/api/keys.h"
#include "logic/api/signature.h"

namespace hongyan::logic {

// What the calls need. Outlives them.
struct ApiServices {
  Caller& caller;
  const auth::TokenSigner& signer;
  MsgIdClock& clock;
  const ApiConfig& limits;
};

// A request that may be answered: its key is known and has the right.
struct ApiRequest {
  std::string app_id;
  http::Request http;
};

using ApiHandler = net::Awaitable<Result<Json>> (*)(const ApiServices* services, ApiRequest request);

// One call of the API: the one place that says which right it needs.
struct ApiCall {
  http::Method method;
  std::string_view path;
  Right right;
  ApiHandler handler;
};
[[nodiscard]] std::span<const ApiCall> api_calls() noexcept;

// The user that the path names. Error kBadRequest.
[[nodiscard]] Result<std::string> uid_of_path(const ApiRequest& request);
// What a user is told; empty when absent. Error kBadRequest.
[[nodiscard]] Result<std::string> read_reason(const Json& body);

// The handlers of the table; the text of each is in docs/openapi.yaml.
[[nodiscard]] net::Awaitable<Result<Json>> post_messages(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> post_tokens(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> get_presence(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> post_presence(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> get_online(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> post_kick(const ApiServices* services, ApiRequest request);
// Whether the group is there, and not dissolved.
[[nodiscard]] net::Awaitable<Status> check_group(const ApiServices* services, std::string app_id,
                                                 std::int64_t group_id);
[[nodiscard]] net::Awaitable<Result<Json>> post_groups(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> get_group(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> patch_group(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> delete_group(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> get_group_members(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> post_group_members(const ApiServices* services,
                                                              ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> delete_group_members(const ApiServices* services,
                                                                ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> post_users(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> get_user(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> post_ban(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> get_ban(const ApiServices* services, ApiRequest request);
[[nodiscard]] net::Awaitable<Result<Json>> delete_ban(const ApiServices* services, ApiRequest request);

// Lets a request through to its handler, or says why not: 401 without a known key, 403 without the right, 429
// when the key calls too often. One loop. Services and keys outlive it, and it outlives the server that has
// its routes.
class ServerApi {
 public:
  ServerApi(ApiServices services, const ApiKeys& keys);

  [[nodiscard]] http::Router routes();

  static constexpr std::size_t kCodes = static_cast<std::size_t>(Code::kDeadlineExceeded) + 1;
  // How many calls were answered so. Any thread.
  [[nodiscard]] std::uint64_t answered(Code code) const noexcept {
    return answered_[static_cast<std::size_t>(code)].load(std::memory_order_relaxed);
  }

 private:
  // Whether the request's body is worth reading: its key is known, and has the right.
  [[nodiscard]] Status check_head(const ApiCall& call, const http::Request& request);
  // The key that it carries, or is signed with; the signature itself needs the body.
  [[nodiscard]] Result<std::size_t> find_key(const http::Request& request) const;
  // Its key, if a signature holds and the key does not call too often.
  [[nodiscard]] Result<std::size_t> admit(const http::Request& request);
  void count(Code code) noexcept;
  void audit_refusal(const http::Request& request, Code code);
  [[nodiscard]] static net::Awaitable<Result<Json>> run(ServerApi* self, const ApiCall* call,
                                                        http::Request request);
  [[nodiscard]] static net::Awaitable<http::Response> answer(ServerApi* self, const ApiCall* call,
                                                             http::Request request);

  const ApiServices services_;
  const ApiKeys& keys_;
  std::vector<TokenBucket> buckets_;  // as the keys
  std::array<std::atomic<std::uint64_t>, kCodes> answered_{};
  Nonces nonces_;
  log::LineLimit refusals_;  // who knows no key does not fill the audit log
};

}  // namespace hongyan::logic
