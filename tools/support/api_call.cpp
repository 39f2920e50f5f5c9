#include "tools/support/api_call.h"

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

net::Awaitable<Result<nlohmann::json>> call_api(std::string api, std::string key, http::Method method,
                                                std::string target, std::string body) {
  http::ClientRequest request{.method = method, .url = api + target, .headers = {}, .body = std::move(body)};
  request.headers = {{"Authorization", "Bearer " + key}};
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  const auto response = co_await http::send(std::move(request));
  if (!response) co_return fail(Code::kUnavailable, api + ": " + response.error().message);
  auto json = nlohmann::json::parse(response->body, nullptr, /*allow_exceptions=*/false);
  if (response->status / 100 != 2) {
    const std::string why = json.is_object() && json.contains("error") && json["error"].is_object()
                                ? json["error"].value("message", "")
                                : "";
    co_return fail(code_of(response->status), fmt::format("status {} {}", response->status, why));
  }
  if (!json.is_object()) co_return fail(Code::kInternal, "no JSON in the answer of " + api);
  co_return json;
}

}  // namespace hongyan::tools
