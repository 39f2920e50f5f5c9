#include "client/cpp/types.h"

namespace hongyan::client {

std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::kStopped:
      return "stopped";
    case State::kWaiting:
      return "waiting";
    case State::kConnecting:
      return "connecting";
    case State::kOnline:
      return "online";
  }
  return "unknown";
}

}  // namespace hongyan::client
