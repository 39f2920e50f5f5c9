// Random identifiers.
#pragma once

#include <string>

namespace hongyan::client {

// A UUID of version 4 from the system's random source: 36 characters. Any thread.
[[nodiscard]] std::string new_uuid();

}  // namespace hongyan::client
