#include "common/owners/owner_client.h"

#include "common/log/log.h"
#include "proto/parse.h"

namespace hongyan::owners {

namespace {

// Error kBadRequest: not a SLOTS packet, or slots out of range.
Result<std::vector<OwnedRange>> parse_slots(const link::LinkPacket& packet) {
  link::Slots slots;
  if (!parse(slots, packet.envelope)) {
    return fail(Code::kBadRequest, "slots do not parse");
  }
  std::vector<OwnedRange> ranges;
  for (const auto& range : slots.ranges()) {
    if (range.first() > range.last() || range.last() >= kSlotCount) {
      return fail(Code::kBadRequest, "slots out of range");
    }
    ranges.push_back({.first = static_cast<Slot>(range.first()),
                      .last = static_cast<Slot>(range.last()),
                      .epoch = range.epoch()});
  }
  return ranges;
}

}  // namespace

void OwnerUser::on_announced(NodeId node, link::Link& link) {
  static_cast<void>(node);
  static_cast<void>(link);
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

Requester::Sent OwnerClient::send(NodeId node, const Request& request,
                                  const link::ClientRequest& envelope) const {
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
                  .body = packet.payload});
}

void OwnerClient::on_slots(NodeId node, link::Link& link, const link::LinkPacket& packet) {
  const auto ranges = parse_slots(packet);
  if (!ranges) {
    log::error(name_, "bad packet node={} reason={}", log::quoted(link.peer().node_id),
               ranges.error().message);
    return link.close(ranges.error().message);
  }
  const auto changed = router_.node_announced(node, *ranges);
  if (!changed.empty()) {
    log::info(name_, "owner announced node={} changed_slots={} unowned={}", log::quoted(link.peer().node_id),
              changed.size(), router_.owners().unowned());
  }
  user_.on_announced(node, link);
  router_.send_waiting(changed);
}

}  // namespace hongyan::owners
