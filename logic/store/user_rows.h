// What business services keep of users: a row of im_user, and what is asked of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "logic/store/box_works.h"

namespace hongyan::logic {

struct StoredUser {
  std::int64_t created_time = 0;  // 0: never registered
  Ban ban;
  bool created = false;  // by this request
};

struct UserRequest {
  enum class Kind : std::uint8_t {
    kRead,      // a user without a row: as StoredUser is made
    kRegister,  // already registered: nothing changes, and created stays false
    kBan,       // sets `ban`; until_ms 0 ends it
  };
  Kind kind = Kind::kRead;
  UserKey user = {};
  Slot slot = 0;
  std::int64_t created_time = 0;                  // kRegister
  std::optional<std::string> password_hash = {};  // kRegister
  Ban ban = {};                                   // kBan
};

}  // namespace hongyan::logic
