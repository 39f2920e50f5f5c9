// Who is online, from the server API, for tools that hold an API key.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/asio.h"

namespace hongyan::tools {

struct OnlineUsers {
  std::vector<std::string> uids;
  bool more = false;  // there are others
};

// The first users of GET API/v1/online, at most `most` (1 to 1000). Errors as call_api().
[[nodiscard]] net::Awaitable<Result<OnlineUsers>> fetch_online(std::string api, std::string key, int most);

}  // namespace hongyan::tools
