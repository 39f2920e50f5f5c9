#include "logic/message/works.h"

#include <utility>

#include "logic/message/group_key.h"

namespace hongyan::logic {

DeliverWorkPtr deliver(std::string app_id, Message message) {
  auto work = std::make_unique<DeliverWork>();
  work->to_group = is_for_group(message.command);
  work->user.app_id = std::move(app_id);
  if (work->to_group) {
    if (message.group_id == 0) message.group_id = message.id;
    work->slot = slot_of_group(work->user.app_id, message.group_id);
  } else {
    work->user.uid = message.to;
    work->slot = slot_of(work->user.app_id, message.to);
  }
  work->lane_id = message.id;
  work->message = std::move(message);
  return work;
}

DeliverWorkPtr deliver_to_member(const std::string& app_id, const GroupRow& row, std::string uid) {
  auto work = std::make_unique<DeliverWork>();
  work->slot = slot_of(app_id, uid);
  work->user = {.app_id = app_id, .uid = std::move(uid)};
  work->lane_id = row.placed_id;
  work->message = row.message;
  return work;
}

}  // namespace hongyan::logic
