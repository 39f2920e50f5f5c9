// What a gate checks of an AUTH before its owner sees it.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "proto/client.pb.h"

namespace hongyan::gate {

struct Login {
  std::string app_id;
  std::string uid;
  std::string device_id;
  std::uint32_t device_type = 0;
};
// kBadRequest: an id is missing, too long or has a NUL in it. The token is logic's business.
[[nodiscard]] Result<Login> check_auth(const client::AuthReq& auth);

}  // namespace hongyan::gate
