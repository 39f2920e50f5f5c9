// From one step of a message's way to the next.
#pragma once

#include <cstdint>

#include "common/base/device_class.h"
#include "common/base/msg_id.h"
#include "logic/message/works.h"

namespace hongyan::logic {

// What the steps tell, each about its part of the way; the pipeline connects them. On the slot thread.
class Steps {
 public:
  virtual ~Steps() = default;
  // Accept: a command is in its sender's outbox; its outcome answers it. Comes before accepted().
  virtual void command_accepted(AcceptWork& work) = 0;
  // Accept: it is in its sender's outbox (stored, or found there) and must be fanned out. In the order of
  // commits.
  virtual void accepted(AcceptWork& work) = 0;
  // Delivery: a message for a group of this thread. It comes back by Delivery::give_back().
  virtual void came_for_group(DeliverWorkPtr work) = 0;
  // PushAcks: the session is present from now on.
  virtual void session_opened(User& user) = 0;
  // Delivery: the row is in its receiver's inbox. In the order of commits.
  virtual void delivered(const DeliverWork& work) = 0;
  // Lanes: the last row of a group's message is committed.
  virtual void fanned_out(MsgId placed_id) = 0;
  // PushAcks: the devices of the class hold a large group up to group_seq.
  virtual void group_acked(User& user, DeviceClass device_class, std::int64_t group_id,
                           std::int64_t group_seq) = 0;
};

}  // namespace hongyan::logic
