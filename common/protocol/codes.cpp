// Numbers that common/base gives without knowing the protocol's files: they go on the wire as they are.
#include <cstdint>

#include "common/base/device_class.h"
#include "common/base/result.h"
#include "proto/client.pb.h"

namespace hongyan::protocol {

namespace {

constexpr bool same(Code code, client::ErrorCode wire) {
  return static_cast<int>(code) == static_cast<int>(wire);
}
static_assert(same(Code::kOk, client::ERROR_CODE_OK));
static_assert(same(Code::kBadRequest, client::ERROR_CODE_BAD_REQUEST));
static_assert(same(Code::kUnauthenticated, client::ERROR_CODE_UNAUTHENTICATED));
static_assert(same(Code::kPermissionDenied, client::ERROR_CODE_PERMISSION_DENIED));
static_assert(same(Code::kNotFound, client::ERROR_CODE_NOT_FOUND));
static_assert(same(Code::kAlreadyExists, client::ERROR_CODE_ALREADY_EXISTS));
static_assert(same(Code::kTooLarge, client::ERROR_CODE_TOO_LARGE));
static_assert(same(Code::kRateLimited, client::ERROR_CODE_RATE_LIMITED));
static_assert(same(Code::kUnavailable, client::ERROR_CODE_UNAVAILABLE));
static_assert(same(Code::kInternal, client::ERROR_CODE_INTERNAL));
static_assert(same(Code::kVersionUnsupported, client::ERROR_CODE_VERSION_UNSUPPORTED));
static_assert(same(Code::kUnknownCommand, client::ERROR_CODE_UNKNOWN_COMMAND));
static_assert(same(Code::kFailedPrecondition, client::ERROR_CODE_FAILED_PRECONDITION));
static_assert(same(Code::kDeadlineExceeded, client::ERROR_CODE_DEADLINE_EXCEEDED));
static_assert(client::ErrorCode_MAX == client::ERROR_CODE_DEADLINE_EXCEEDED, "a new one has no Code");

constexpr bool in(client::DeviceType type, DeviceClass expected) {
  return device_class(static_cast<std::uint32_t>(type)) == expected;
}
static_assert(in(client::DEVICE_TYPE_UNKNOWN, DeviceClass::kUnknown));
static_assert(in(client::DEVICE_TYPE_IOS, DeviceClass::kMobile));
static_assert(in(client::DEVICE_TYPE_ANDROID, DeviceClass::kMobile));
static_assert(in(client::DEVICE_TYPE_WEB, DeviceClass::kWeb));
static_assert(in(client::DEVICE_TYPE_WINDOWS, DeviceClass::kDesktop));
static_assert(in(client::DEVICE_TYPE_MACOS, DeviceClass::kDesktop));
static_assert(in(client::DEVICE_TYPE_LINUX, DeviceClass::kDesktop));
static_assert(in(client::DEVICE_TYPE_MINI_PROGRAM, DeviceClass::kMiniProgram));
static_assert(client::DeviceType_MAX == client::DEVICE_TYPE_MINI_PROGRAM, "a new one has no class");

}  // namespace

}  // namespace hongyan::protocol
