// Expected failures are values.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace hongyan {

// What went wrong, by the numbers of the client protocol's ErrorCode (docs/protocol.md): they go on the wire.
enum class Code : std::uint8_t {
  kOk = 0,
  kBadRequest = 1,
  kUnauthenticated = 2,
  kPermissionDenied = 3,
  kNotFound = 4,
  kAlreadyExists = 5,
  kTooLarge = 6,
  kRateLimited = 7,
  kUnavailable = 8,  // this attempt took nothing; try again
  kInternal = 9,
  kVersionUnsupported = 10,
  kUnknownCommand = 11,
  kFailedPrecondition = 12,
  kDeadlineExceeded = 13,  // the outcome is unknown
};

// "BAD_REQUEST" and so on, as the server API and the logs write it. Static storage.
[[nodiscard]] std::string_view code_name(Code code) noexcept;

// When to try again, told with kUnavailable: what stands in the way is about to change (an owner, a
// connection), too much is waiting, or something else than this daemon is away.
inline constexpr std::uint32_t kRetrySoonMs = 200;
inline constexpr std::uint32_t kRetryMs = 500;
inline constexpr std::uint32_t kRetryLaterMs = 1000;

struct Error {
  Code code = Code::kInternal;
  std::string message;  // for people; no content of messages, no secrets
  std::uint32_t retry_after_ms = 0;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// return fail(Code::kNotFound, "no such user");
[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string message,
                                                 std::uint32_t retry_after_ms = 0) {
  return std::unexpected<Error>(Error{code, std::move(message), retry_after_ms});
}

}  // namespace hongyan
