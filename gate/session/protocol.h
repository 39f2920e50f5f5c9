// What the gate does with each command of the client protocol, and its checks of a login.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "proto/client.pb.h"

namespace hongyan::gate {

enum class CommandKind : std::uint8_t {
  kAuth,
  kRequest,     // forwarded, answered
  kAck,         // forwarded, not answered
  kNoop,        // answered by the gate
  kIgnored,     // Mars' signal keep
  kKickout,     // from the server; an empty answer is ignored
  kServerOnly,  // never from a client
  kUnknown,
};
[[nodiscard]] CommandKind command_kind(std::uint32_t cmd_id) noexcept;

struct Login {
  std::string app_id;
  std::string uid;
  std::string device_id;
  std::uint32_t device_type = 0;
};
// kBadRequest: an id is missing, too long or has a NUL in it. The token is logic's business.
[[nodiscard]] Result<Login> check_auth(const client::AuthReq& auth);

}  // namespace hongyan::gate
