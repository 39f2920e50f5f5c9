#include "logic/user/user.h"

namespace hongyan::logic {

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
