// Which refusals pass.
#pragma once

#include <algorithm>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "proto/client.pb.h"

namespace hongyan::bench {

// Whether the same request may succeed later.
[[nodiscard]] inline bool for_now(Code code) noexcept {
  return code == Code::kUnavailable || code == Code::kRateLimited || code == Code::kDeadlineExceeded ||
         code == Code::kInternal;
}
[[nodiscard]] inline bool for_now(client::ErrorCode code) noexcept {
  return for_now(static_cast<Code>(code));
}

// When to ask again.
[[nodiscard]] inline Milliseconds retry_after(std::uint32_t retry_after_ms) noexcept {
  constexpr std::uint32_t kLeastMs = 50;
  return Milliseconds(std::max(kLeastMs, retry_after_ms));
}

}  // namespace hongyan::bench
