// One client request as a gate forwards it.
#pragma once

#include <cstdint>
#include <string_view>

#include "logic/user/gate_port.h"

namespace hongyan::logic {

// Views are valid during the call that gets the request.
struct Request {
  ReplyTo reply_to;
  Slot slot = 0;  // of (app_id, uid)
  std::uint32_t cmd_id = 0;
  std::string_view app_id;
  std::string_view uid;
  std::uint64_t channel = 0;
  std::uint32_t device_type = 0;
  std::string_view body;
};

}  // namespace hongyan::logic
