// Errors as response bodies.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace hongyan::protocol {

// A response body with nothing but the error: what every refused request is answered with.
[[nodiscard]] std::string error_body(const Error& error);
// The error of any response body; kInternal when it has none or does not parse.
[[nodiscard]] Error error_of(std::string_view body);

}  // namespace hongyan::protocol
