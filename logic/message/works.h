// What a message is on its way: to its sender's outbox, and from there into an inbox or to its group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "logic/store/box_works.h"
#include "logic/store/group_rows.h"
#include "logic/user/gate_port.h"
#include "logic/user/slot_table.h"
#include "logic/user/user.h"

namespace hongyan::logic {

class Accept;
class Delivery;
struct LaneBatchState;

// A send on its way through the writer.
class AcceptWork final : public OutboxWork {
 public:
  explicit AcceptWork(Accept& accept) noexcept : accept_(accept) {}
  void come_back(std::unique_ptr<OutboxWork> self) override;

  User* owner = nullptr;           // kept in memory by owner->accepting
  std::vector<ReplyTo> waiting;    // the send and its resends meanwhile
  std::uint64_t from_channel = 0;  // the device that sent it, and its gate
  GatePortPtr from_gate;
  UnfinishedIds::Ticket ticket;
  double paid = 0;  // of owner->fan_out

 private:
  Accept& accept_;
};

// A message on its way into one receiver's inbox. Made at the source, stored by the destination, and brought
// back.
class DeliverWork final : public InboxWork {
 public:
  void come_back(std::unique_ptr<InboxWork> self) override;

  std::int64_t group_members = 0;  // with a change of a group: how many members it has now. 0: not told
  MsgId lane_id = 0;  // what the source's slot counts as unfinished: message.id, or placed_id from a group
  bool own_content = false;  // of a group's message: not what stands in the group, so it cannot be read back
  bool to_group = false;     // for the owner of message.group_id, which finds its place in the group's order
  // What it takes in a lane: members of a group share one content.
  [[nodiscard]] std::size_t held_bytes() const noexcept {
    return bytes() - (message.group_seq == 0 ? 0 : message.content_bytes());
  }
  std::shared_ptr<void> content_held;  // of a group's message: counts the shared content until the last row
  Delivery* delivery = nullptr;        // at the destination: who stores it
  std::shared_ptr<LaneBatchState> batch;  // and the batch it came with
  std::size_t lane_index = 0;             // at the source: its place in the lane
};
using DeliverWorkPtr = std::unique_ptr<DeliverWork>;

// From the sender's outbox to the receiver, or to the owner of the group: what creates a group names it.
[[nodiscard]] DeliverWorkPtr deliver(std::string app_id, Message message);
// From a group's order to one member.
[[nodiscard]] DeliverWorkPtr deliver_to_member(const std::string& app_id, const GroupRow& row,
                                               std::string uid);

}  // namespace hongyan::logic
