#include "tools/support/api_token.h"

#include <nlohmann/json.hpp>

#include "tools/support/api_call.h"

namespace hongyan::tools {

net::Awaitable<Result<std::string>> fetch_token(std::string api, std::string key, std::string uid,
                                                std::int64_t ttl_seconds) {
  const nlohmann::json request = {{"uid", uid}, {"ttl_seconds", ttl_seconds}};
  std::string body = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto answer =
      co_await call_api(std::move(api), std::move(key), http::Method::kPost, "/v1/tokens", std::move(body));
  if (!answer) co_return fail(answer.error().code, "no token: " + answer.error().message);
  const auto token = answer->find("token");
  if (token == answer->end() || !token->is_string())
    co_return fail(Code::kInternal, "no token in the answer");
  co_return token->get<std::string>();
}

}  // namespace hongyan::tools
