#include "common/base/result.h"

#include <array>

namespace hongyan {

std::string_view code_name(Code code) noexcept {
  static constexpr std::array<std::string_view, 14> kNames = {"OK",
                                                              "BAD_REQUEST",
                                                              "UNAUTHENTICATED",
                                                              "PERMISSION_DENIED",
                                                              "NOT_FOUND",
                                                              "ALREADY_EXISTS",
                                                              "TOO_LARGE",
                                                              "RATE_LIMITED",
                                                              "UNAVAILABLE",
                                                              "INTERNAL",
                                                              "VERSION_UNSUPPORTED",
                                                              "UNKNOWN_COMMAND",
                                                              "FAILED_PRECONDITION",
                                                              "DEADLINE_EXCEEDED"};
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

}  // namespace hongyan
