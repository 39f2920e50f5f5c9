// One call of the server API.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/base/result.h"
#include "common/http/message.h"
#include "common/net/asio.h"

namespace hongyan::tools {

// api: "http://host:port"; target: "/v1/online?limit=10"; body: JSON, or "" for none. Errors: by the answer's
// status, with its message; kUnavailable when it could not be reached.
[[nodiscard]] net::Awaitable<Result<nlohmann::json>> call_api(std::string api, std::string key,
                                                              http::Method method, std::string target,
                                                              std::string body);

}  // namespace hongyan::tools
