// The statement about im_parked.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/base/msg_id.h"
#include "common/base/slot.h"
#include "logic/store/mysql/connection/connection.h"

namespace hongyan::logic {

// What can never be stored, for a person to look at. Valid during the call that takes it.
struct ParkedRow {
  MsgId id = 0;
  Slot slot = 0;
  std::string_view app_id;
  std::string destination;
  std::string_view reason;
};

// Keys and reasons that do not fit are cut. What is parked already gets the new reason.
[[nodiscard]] DbStatus insert_parked(MysqlConnection& connection, std::span<const ParkedRow> rows);

}  // namespace hongyan::logic
