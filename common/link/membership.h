// A gate's or logic node's life sign to every iplist, and the live logic nodes that their answers name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/endpoint.h"
#include "common/link/link_client.h"
#include "common/link/member_view.h"

namespace hongyan::link {

// Configured endpoints as members, for Membership::Options.
[[nodiscard]] std::vector<Member> members_of(const std::vector<hongyan::Endpoint>& endpoints);

// Sends a heartbeat each second to every configured iplist and reports changes of the list of logic nodes.
// Lives on one loop: start(), the callbacks and stop() run there, or start() before the loop runs.
class Membership : private LinkHandler {
 public:
  struct Options {
    std::vector<Member> iplists;      // the endpoint of each iplist's heartbeat listener
    std::vector<Member> fixed_nodes;  // logic nodes, used when there is no iplist
    Milliseconds interval{1000};
  };
  using MakeHeartbeat = std::function<Heartbeat()>;
  using OnMembers = std::function<void(const std::vector<Member>&)>;

  // loop and identity outlive it; the loop must have ended before it is destroyed.
  Membership(net::EventLoop& loop, const Identity& identity, Options options, MakeHeartbeat make_heartbeat,
             OnMembers on_members);

  void start();
  // Sends a last heartbeat marked draining, then nothing more. Any thread.
  void stop();

 private:
  void on_link_up(const LinkPtr& link) override;
  void on_link_packets(const LinkPtr& link, std::span<const LinkPacket> packets) override;
  void on_link_down(const LinkPtr& link) override;

  [[nodiscard]] static net::Awaitable<> beat(Membership* self);
  void send_heartbeat(const LinkPtr& link, bool draining);

  net::EventLoop& loop_;
  const Identity& identity_;
  const Options options_;
  const MakeHeartbeat make_heartbeat_;
  const OnMembers on_members_;

  // Loop only.
  struct Iplist {
    LinkPtr link;
    std::size_t index;
  };
  MemberView view_;
  std::vector<std::shared_ptr<LinkClient>> clients_;
  std::vector<Iplist> links_;
  std::size_t next_index_ = 0;
  bool stopped_ = false;
};

}  // namespace hongyan::link
