#include "gate/session/protocol.h"

#include <string_view>

namespace hongyan::gate {

namespace {

constexpr std::size_t kMaxAppId = 64;
constexpr std::size_t kMaxUid = 128;
constexpr std::size_t kMaxDeviceId = 128;
constexpr std::string_view kDefaultApp = "default";

bool id_ok(std::string_view id, std::size_t most) {
  return id.size() <= most && id.find('\0') == std::string_view::npos;
}

}  // namespace

CommandKind command_kind(std::uint32_t cmd_id) noexcept {
  switch (cmd_id) {
    case client::COMMAND_AUTH:
      return CommandKind::kAuth;
    case client::COMMAND_LOGOUT:
    case client::COMMAND_C2S:
    case client::COMMAND_C2C_SEND:
    case client::COMMAND_C2G_SEND:
    case client::COMMAND_PULL:
    case client::COMMAND_CTRL_SEND:
    case client::COMMAND_PRESENCE:
      return CommandKind::kRequest;
    case client::COMMAND_S2C:
    case client::COMMAND_C2C_PUSH:
    case client::COMMAND_C2G_PUSH:
    case client::COMMAND_SENT_PUSH:
    case client::COMMAND_CTRL_PUSH:
      return CommandKind::kAck;
    case client::COMMAND_NOOP:
      return CommandKind::kNoop;
    case client::COMMAND_SIGNAL_KEEP:
      return CommandKind::kIgnored;
    case client::COMMAND_KICKOUT:
      return CommandKind::kKickout;
    case client::COMMAND_SYNC_NOTIFY:
    case client::COMMAND_PRESENCE_PUSH:
      return CommandKind::kServerOnly;
    default:
      return CommandKind::kUnknown;
  }
}

Result<Login> check_auth(const client::AuthReq& auth) {
  Login login{.app_id = auth.app_id(),
              .uid = auth.uid(),
              .device_id = auth.device_id(),
              .device_type = static_cast<std::uint32_t>(auth.device_type())};
  if (login.app_id.empty()) login.app_id = kDefaultApp;
  if (!id_ok(login.app_id, kMaxAppId)) return fail(Code::kBadRequest, "app_id");
  if (login.uid.empty() || !id_ok(login.uid, kMaxUid)) return fail(Code::kBadRequest, "uid");
  if (!id_ok(login.device_id, kMaxDeviceId)) return fail(Code::kBadRequest, "device_id");
  return login;
}

}  // namespace hongyan::gate
