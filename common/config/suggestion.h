// What an unknown key may have meant. Internal to common/config.
#pragma once

#include <string>
#include <vector>

namespace hongyan::config::detail {

// ", did you mean gate.workers?", or "" when none of `names` is like `name`. path: what stands before them.
[[nodiscard]] std::string suggestion(const std::vector<std::string>& names, const std::string& name,
                                     const std::string& path);

}  // namespace hongyan::config::detail
