// Requests of the server API to the owners of slots.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/net/event_loop.h"
#include "common/owners/owner_client.h"

namespace hongyan::logic {

// One internal command (proto/internal.proto) to the owner of a slot.
struct Call {
  std::string app_id;
  std::string uid;  // empty: the call is about the slot as a whole
  Slot slot = 0;    // of the user
  std::uint32_t command = 0;
  std::string body;
  bool changes = false;  // false: may be answered by whoever sees it last
};

// To the owners of slots this is one more gate: it holds a call while nobody owns the slot, sends it again
// when the owner changes, and ends it within the request deadline. Links to every live logic node, its own
// included, so that any node answers the server API, one that owns nothing too. Lives on one loop; all calls
// there. The identity outlives it, and it outlives its loop's work.
class Caller : private owners::OwnerUser {
 public:
  struct Options {
    owners::RouterOptions router = {};
    link::LinkOptions link = {};
  };
  Caller(net::EventLoop& loop, const link::Identity& identity, Options options);

  // Once, before the loop runs or on it.
  void start();
  // The live logic nodes.
  void set_nodes(const std::vector<link::Member>& nodes) { owners_.set_nodes(nodes); }

  // The answers' bodies, as the calls. Errors: what the owner refused with; kUnavailable: nobody took the
  // call; kDeadlineExceeded: somebody may have.
  [[nodiscard]] net::Awaitable<std::vector<Result<std::string>>> call_all(std::vector<Call> calls);
  [[nodiscard]] net::Awaitable<Result<std::string>> call(Call call);

 private:
  struct Group;  // the calls of one call_all()
  struct Pending {
    std::shared_ptr<Group> group;
    std::size_t index = 0;  // in the group
    std::string app_id;
    std::string uid;
  };

  Sent send(owners::NodeId node, const owners::Request& request) override;
  void answered(const owners::Request& request, const owners::Answer& answer) override;
  void refused(const owners::Request& request, const Error& error) override;
  void end(std::uint64_t number, Result<std::string> result);
  [[nodiscard]] static net::Awaitable<> tick(Caller* self);

  net::EventLoop& loop_;
  owners::OwnerClient owners_;
  std::unordered_map<std::uint64_t, Pending> pending_;  // by number, which is the router's channel
  std::uint64_t next_number_ = 1;
};

}  // namespace hongyan::logic
