#include "logic/user/presence.h"

#include <algorithm>

namespace hongyan::logic {

void describe(const User& user, client::Presence& out) {
  out.set_uid(user.key.uid);
  out.set_online(!user.sessions.empty());
  std::int64_t last_active = user.last_active_ms;
  for (const auto& session : user.sessions) {
    out.add_devices(static_cast<client::DeviceType>(session->device_type));
    last_active = std::max(last_active, session->last_active_ms);
  }
  out.set_last_active(last_active);
}

}  // namespace hongyan::logic
