#include "common/owners/owner_client.h"

#include "common/log/log.h"
#include "proto/parse.h"

namespace hongyan::owners {

namespace {

// Error kBadRequest: slots out of range.
Result<std::vector<OwnedRange>> parse_ranges(
    const google::protobuf::RepeatedPtrField<link::SlotRange>& told) {
  std::vector<OwnedRange> ranges;
  for (const auto& range : told) {
    if (range.first() > range.last() || range.last() >= kSlotCount) {
      return fail(Code::kBadRequest, "slots out of range");
    }
    ranges.push_back({.first = static_cast<Slot>(range.first()),
                      .last = static_cast<Slot>(range.last()),
                      .epoch = range.epoch()});
  }
  return ranges;
}

SlotSet slots_of(const std::vector<OwnedRange>& ranges) {
  SlotSet slots;
  for (const auto& range : ranges) {
    for (std::uint32_t slot = range.first; slot <= range.last; ++slot) slots.set(slot);
  }
  return slots;
}

}  // namespace

Result<Announcement> parse_slots(const link::LinkPacket& packet, link::Slots& slots) {
  if (!parse(slots, packet.envelope)) return fail(Code::kBadRequest, "slots do not parse");
  auto added = parse_ranges(slots.ranges());
  if (!added) return std::unexpected(added.error());
  auto removed = parse_ranges(slots.removed());
  if (!removed) return std::unexpected(removed.error());
  return Announcement{.whole = !slots.delta(), .added = std::move(*added), .removed = std::move(*removed)};
}

void OwnerUser::on_announced(NodeId node, link::Link& link, std::uint64_t version, const SlotSet& added) {
  static_cast<void>(node);
  static_cast<void>(link);
  static_cast<void>(version);
  static_cast<void>(added);
}
void OwnerUser::on_node_down(NodeId node) { static_cast<void>(node); }
void OwnerUser::on_packet(link::Link& link, const link::LinkPacket& packet) {
  static_cast<void>(link);
  static_cast<void>(packet);
}

OwnerClient::OwnerClient(net::EventLoop& loop, const link::Identity& identity, OwnerUser& user,
                         Options options)
    : user_(user),
      name_(options.name),
      nodes_(loop, identity, *this, {.worker = options.worker, .link = options.link}),
      router_(user, options.router) {}

Requester::Sent OwnerClient::send(NodeId node, const Request& request, link::ClientRequest& envelope) const {
  envelope.set_slot_epoch(router_.owners().owner(request.slot).epoch);
  link::Link* link = nodes_.link_of(node);
  const bool sent = link != nullptr && link->send(link::LINK_COMMAND_REQUEST, request.link_seq, request.slot,
                                                  envelope, request.body);
  return sent ? Requester::Sent::kSent : Requester::Sent::kNotNow;
}

void OwnerClient::on_link_up(const link::LinkPtr& link) { nodes_.up(link); }

void OwnerClient::on_link_down(const link::LinkPtr& link) {
  const NodeId node = nodes_.down(link);
  if (node == 0) return;
  user_.on_node_down(node);
  router_.send_waiting(router_.node_down(node));
}

void OwnerClient::on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) {
  const NodeId node = nodes_.id_of(link);
  if (node == 0) return;
  for (const auto& packet : packets) {
    switch (packet.command) {
      case link::LINK_COMMAND_RESPONSE:
        on_response(node, packet);
        break;
      case link::LINK_COMMAND_SLOTS:
        on_slots(node, *link, packet);
        break;
      default:
        user_.on_packet(*link, packet);
        break;
    }
  }
}

void OwnerClient::on_response(NodeId node, const link::LinkPacket& packet) {
  if (!parse(response_, packet.envelope)) return;
  router_.answer(node, packet.seq,
                 {.not_owner = response_.outcome() == link::ClientResponse::OUTCOME_NOT_OWNER,
                  .known_epoch = response_.slot_epoch(),
                  .refused = response_.refused(),
                  .login_epoch = response_.login_epoch(),
                  .expires_ms = response_.expires_ms(),
                  .confirm = response_.confirm(),
                  .partly_refused = response_.partly_refused(),
                  .body = packet.payload});
}

void OwnerClient::on_slots(NodeId node, link::Link& link, const link::LinkPacket& packet) {
  link::Slots slots;
  const auto announcement = parse_slots(packet, slots);
  if (!announcement) {
    log::error(name_, "bad packet node={} reason={}", log::quoted(link.peer().node_id),
               announcement.error().message);
    return link.close(announcement.error().message);
  }
  const auto changed = router_.node_announced(node, *announcement);
  if (!changed.empty()) {
    log::info(name_, "owner announced node={} changed_slots={} unowned={}", log::quoted(link.peer().node_id),
              changed.size(), router_.owners().unowned());
  }
  user_.on_announced(node, link, slots.version(), slots_of(announcement->added));
  router_.send_waiting(changed);
}

}  // namespace hongyan::owners
