#include <array>

#include "tests/fuzz/target.h"

namespace hongyan::fuzz {

std::span<const Target> targets() noexcept {
  static constexpr std::array kTargets = {
      Target{"packets", packets},
      Target{"ws_frames", ws_frames},
      Target{"ws_upgrade", ws_upgrade},
      Target{"proxy_header", proxy_header},
      Target{"http_request", http_request},
      Target{"token", token},
      Target{"configuration", configuration},
      Target{"link_frames", link_frames},
      Target{"protobuf_glance", protobuf_glance},
      Target{"group_command", group_command},
  };
  return kTargets;
}

}  // namespace hongyan::fuzz
