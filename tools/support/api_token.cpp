#include "tools/support/api_token.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/http/client.h"

namespace hongyan::tools {

namespace {

Code code_of(int status) {
  switch (status) {
    case 400:
      return Code::kBadRequest;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 429:
      return Code::kRateLimited;
    case 503:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

}  // namespace

net::Awaitable<Result<std::string>> fetch_token(std::string api, std::string key, std::string uid,
                                                std::int64_t ttl_seconds) {
  const nlohmann::json request = {{"uid", uid}, {"ttl_seconds", ttl_seconds}};
  std::string body = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const http::Fields headers = {{"Authorization", "Bearer " + key}};
  const auto response = co_await http::post(api + "/v1/tokens", std::move(body), headers);
  if (!response) co_return fail(Code::kUnavailable, api + ": " + response.error().message);
  const auto json = nlohmann::json::parse(response->body, nullptr, /*allow_exceptions=*/false);
  if (response->status / 100 != 2) {
    const std::string why = json.is_object() && json.contains("error") && json["error"].is_object()
                                ? json["error"].value("message", "")
                                : "";
    co_return fail(code_of(response->status), fmt::format("no token: status {} {}", response->status, why));
  }
  if (!json.is_object() || !json.contains("token") || !json["token"].is_string()) {
    co_return fail(Code::kInternal, "no token in the answer of " + api);
  }
  co_return json["token"].get<std::string>();
}

}  // namespace hongyan::tools
