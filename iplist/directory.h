// Who is alive, and which gates a client should try: bookkeeping without I/O and without a clock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "proto/link.pb.h"

namespace hongyan::iplist {

// Names the link that a heartbeat came by; any value that is unique among the open ones.
using LinkId = const void*;

// What a client asks for.
struct GateQuery {
  std::string app_id;
  std::string transport;  // tcp, tls, ws, wss
  std::string spread;     // the uid, or anything else that differs from client to client
  std::size_t limit = 3;
};

struct GateAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string transport;

  bool operator==(const GateAddress&) const = default;
};

// Gates and logic nodes, known by their heartbeats alone (soft state: after a start it fills within seconds).
//
// A node is dead once its last heartbeat is dead_after old, or broken_after behind the end of its link: a
// node that lives is back on a new link by then. A gate is not offered to clients while its link is down.
//
// One thread. Every call with a `now` that does not go back.
class Directory {
 public:
  struct Options {
    Milliseconds dead_after{3000};
    Milliseconds broken_after{1000};
    Milliseconds complete_after{3000};  // since the start: by then every live node has been heard
    std::size_t max_nodes = 4096;
  };
  static constexpr std::size_t kMaxLimit = 20;

  explicit Directory(SteadyTime started) : Directory(started, Options()) {}
  Directory(SteadyTime started, Options options) : started_(started), options_(options) {}

  // kBadRequest: the heartbeat makes no sense and was ignored. kUnavailable: too many nodes.
  // True: the node is new here, or it was started anew.
  [[nodiscard]] Result<bool> heartbeat(LinkId link, const link::Heartbeat& heartbeat, SteadyTime now);
  void link_down(LinkId link, SteadyTime now);

  // Forgets the dead; returns their names ("logic-1"), for the log.
  std::vector<std::string> expire(SteadyTime now);

  // The live logic nodes, by name.
  [[nodiscard]] link::HeartbeatAnswer answer(SteadyTime now) const;

  // Best first: gates that are for this app alone before those that serve all; then the less loaded, in steps
  // of 5 % of what they can take, and within a step in an order that depends on query.spread. Gates that are
  // dead, draining, full, unreachable by this transport or for other apps are left out.
  [[nodiscard]] std::vector<GateAddress> choose(const GateQuery& query, SteadyTime now) const;

  [[nodiscard]] std::size_t live_gates(SteadyTime now) const;
  [[nodiscard]] std::size_t live_logic_nodes(SteadyTime now) const;

 private:
  struct Node {
    link::Heartbeat last;
    SteadyTime heard;
    LinkId link = nullptr;  // null: its link is down
    SteadyTime link_ended;
  };
  struct Candidate;

  [[nodiscard]] bool alive(const Node& node, SteadyTime now) const noexcept;
  [[nodiscard]] std::size_t count(link::Role role, SteadyTime now) const;

  const SteadyTime started_;
  const Options options_;
  std::map<std::string, Node, std::less<>> nodes_;  // by role and node id: "1/gate-1"
};

}  // namespace hongyan::iplist
