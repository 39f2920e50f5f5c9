#include "common/link/membership.h"

#include <algorithm>

#include "proto/parse.h"

namespace hongyan::link {

std::vector<Member> members_of(const std::vector<hongyan::Endpoint>& endpoints) {
  std::vector<Member> members;
  for (const auto& endpoint : endpoints) {
    members.push_back({.node_id = format_endpoint(endpoint), .endpoint = endpoint});
  }
  return members;
}

Membership::Membership(net::EventLoop& loop, const Identity& identity, Options options,
                       MakeHeartbeat make_heartbeat, OnMembers on_members)
    : loop_(loop),
      identity_(identity),
      options_(std::move(options)),
      make_heartbeat_(std::move(make_heartbeat)),
      on_members_(std::move(on_members)) {}

void Membership::start() {
  if (options_.iplists.empty()) {
    loop_.post([this] { on_members_(options_.fixed_nodes); });
    return;
  }
  for (const auto& iplist : options_.iplists) {
    clients_.push_back(LinkClient::start(loop_, iplist.endpoint, identity_, *this));
  }
  loop_.spawn("heartbeat", beat(this));
}

void Membership::stop() {
  loop_.post([this] {
    stopped_ = true;
    for (auto& iplist : links_) send_heartbeat(iplist.link, true);
  });
}

void Membership::send_heartbeat(const LinkPtr& link, bool draining) {
  Heartbeat heartbeat = make_heartbeat_();
  heartbeat.set_role(identity_.role);
  heartbeat.set_node_id(identity_.node_id);
  heartbeat.set_boot_id(identity_.boot_id);
  if (draining) heartbeat.set_draining(true);
  static_cast<void>(link->send(LINK_COMMAND_HEARTBEAT, 0, 0, heartbeat));
}

net::Awaitable<> Membership::beat(Membership* self) {
  while (!self->stopped_) {
    for (auto& iplist : self->links_) self->send_heartbeat(iplist.link, false);
    co_await net::sleep_for(self->options_.interval);
  }
}

void Membership::on_link_up(const LinkPtr& link) {
  links_.push_back({.link = link, .index = next_index_++});
  if (!stopped_) send_heartbeat(link, false);
}

void Membership::on_link_packets(const LinkPtr& link, std::span<const LinkPacket> packets) {
  const auto it = std::ranges::find(links_, link, &Iplist::link);
  if (it == links_.end()) return;
  for (const auto& packet : packets) {
    HeartbeatAnswer answer;
    if (packet.command != LINK_COMMAND_HEARTBEAT_ANSWER || !parse(answer, packet.envelope)) {
      continue;
    }
    std::vector<Member> members;
    for (const auto& node : answer.logic_nodes()) {
      members.push_back({.node_id = node.node_id(),
                         .boot_id = node.boot_id(),
                         .endpoint = {.host = node.host(), .port = static_cast<std::uint16_t>(node.port())}});
    }
    if (view_.answer(it->index, std::move(members), answer.complete(), SteadyClock::now())) {
      on_members_(view_.members());
    }
  }
}

void Membership::on_link_down(const LinkPtr& link) {
  const auto it = std::ranges::find(links_, link, &Iplist::link);
  if (it == links_.end()) return;
  view_.unreachable(it->index);
  links_.erase(it);
}

}  // namespace hongyan::link
