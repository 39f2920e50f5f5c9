// Makes a group over a bare connection.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tools/bench/actors/connection.h"

namespace hongyan::bench {

// name_of(0) is the owner, who is logged in on `connection` and has not run() it; the others are added, as
// many at a time as one call may name. Refusals for the time being are repeated. Errors: what the server
// answered.
[[nodiscard]] net::Awaitable<Result<client::Group>> make_group(std::shared_ptr<Connection> connection,
                                                               std::string name, int members,
                                                               std::function<std::string(int)> name_of);

}  // namespace hongyan::bench
