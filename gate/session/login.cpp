#include "gate/session/login.h"

#include "common/protocol/ids.h"

namespace hongyan::gate {

Result<Login> check_auth(const client::AuthReq& auth) {
  Login login{.app_id = auth.app_id(),
              .uid = auth.uid(),
              .device_id = auth.device_id(),
              .device_type = static_cast<std::uint32_t>(auth.device_type())};
  if (login.app_id.empty()) login.app_id = protocol::kDefaultApp;
  if (!protocol::is_id(login.app_id, protocol::kMaxAppId)) return fail(Code::kBadRequest, "app_id");
  if (!protocol::is_id(login.uid, protocol::kMaxUid)) return fail(Code::kBadRequest, "uid");
  if (!protocol::is_id_or_empty(login.device_id, protocol::kMaxDeviceId))
    return fail(Code::kBadRequest, "device_id");
  return login;
}

}  // namespace hongyan::gate
