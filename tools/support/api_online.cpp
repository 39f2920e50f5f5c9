#include "tools/support/api_online.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "tools/support/api_call.h"

namespace hongyan::tools {

net::Awaitable<Result<OnlineUsers>> fetch_online(std::string api, std::string key, int most) {
  const auto page = co_await call_api(std::move(api), std::move(key), http::Method::kGet,
                                      fmt::format("/v1/online?limit={}", most), {});
  if (!page) co_return std::unexpected(page.error());
  const auto users = page->find("users");
  if (users == page->end() || !users->is_array()) co_return fail(Code::kInternal, "no users in the answer");
  OnlineUsers out{.uids = {}, .more = page->contains("next")};
  for (const auto& user : *users) {
    if (!user.is_object()) co_return fail(Code::kInternal, "a user that is no object in the answer");
    const std::string encoded = user.value("uid_base64", "");
    out.uids.push_back(encoded.empty() ? user.value("uid", "") : base64_decode(encoded).value_or(encoded));
  }
  co_return out;
}

}  // namespace hongyan::tools
