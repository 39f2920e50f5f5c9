#include "logic/user/user.h"

namespace hongyan::logic {

UserGroup* User::group(std::int64_t group_id) noexcept {
  const auto it = groups.find(group_id);
  return it == groups.end() ? nullptr : &it->second;
}

Session* User::session_of(DeviceClass wanted) noexcept {
  for (auto& session : sessions) {
    if (session->device_class == wanted) return session.get();
  }
  return nullptr;
}

Session* User::session_on(const GatePort& gate, std::uint64_t channel) noexcept {
  for (auto& session : sessions) {
    if (session->channel == channel && session->gate->boot_id() == gate.boot_id()) return session.get();
  }
  return nullptr;
}

}  // namespace hongyan::logic
