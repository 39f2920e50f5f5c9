// Tokens from the server API, for tools that hold an API key.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/net/asio.h"

namespace hongyan::tools {

// POST API/v1/tokens. Errors: by the answer's status; kUnavailable when it could not be reached.
[[nodiscard]] net::Awaitable<Result<std::string>> fetch_token(std::string api, std::string key,
                                                              std::string uid, std::int64_t ttl_seconds);

}  // namespace hongyan::tools
