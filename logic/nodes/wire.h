// proto/nodes.proto, to and from what the parts of a slot thread know.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "logic/group/mail.h"
#include "logic/message/lane.h"
#include "proto/nodes.pb.h"

namespace hongyan::logic {

// A NODE_FANOUT while batches are added to it.
class FanOutPacket {
 public:
  // The works stay with the caller.
  void add(const LaneBatch& batch);
  [[nodiscard]] bool empty() const noexcept { return message_.lanes().empty(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const nodes::FanOut& message() const noexcept { return message_; }
  void clear();

 private:
  [[nodiscard]] std::uint32_t place_of(const SharedBytes& bytes);
  void add(nodes::Row& row, const DeliverWork& work);

  nodes::FanOut message_;
  std::vector<SharedBytes> contents_;  // held, so that no other one stands at the same address
  std::unordered_map<const std::string*, std::uint32_t> places_;
  std::size_t bytes_ = 0;
};

// All batches of a packet; their source is filled in by the caller. Takes the contents out of it. Error
// kBadRequest: it makes no sense.
[[nodiscard]] Result<std::vector<LaneBatch>> read_fan_out(nodes::FanOut& packet);

void write_result(nodes::FanOutResult& packet, const LaneResult& result);
[[nodiscard]] BatchId id_of(const nodes::LaneResult& result);
// Into the works as they were sent. False: it is not of this batch.
[[nodiscard]] bool read_outcomes(const nodes::LaneResult& result, std::vector<DeliverWorkPtr>& works);

void write(nodes::Ask& packet, const GroupAsk& ask);
[[nodiscard]] GroupAsk read(nodes::Ask& packet);
void write(nodes::Reply& packet, const GroupReply& reply);
[[nodiscard]] Result<GroupReply> read(nodes::Reply& packet);
void write(nodes::Answer& packet, const CtrlAnswer& answer);
[[nodiscard]] CtrlAnswer read(nodes::Answer& packet);
void write(nodes::News& packet, const GroupBroadcast& message);
[[nodiscard]] GroupBroadcast read(nodes::News& packet);

}  // namespace hongyan::logic
