// Which logic nodes are alive, as told by iplists: pure bookkeeping, no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/endpoint.h"

namespace hongyan::link {

struct Member {
  std::string node_id{};
  std::uint64_t boot_id = 0;
  hongyan::Endpoint endpoint{};  // link.proto has an Endpoint, too

  bool operator==(const Member&) const = default;
};

// The union over all reachable iplists. An answer marked incomplete (the iplist has just started) only adds;
// with no iplist reachable the last list stands. A node that no answer has named for kDeadAfter is dropped.
// One thread.
class MemberView {
 public:
  static constexpr Milliseconds kDeadAfter{3000};

  // An answer of the iplist with this index. True when the list of members changed.
  bool answer(std::size_t iplist, std::vector<Member> members, bool complete, SteadyTime now);
  // The iplist cannot be asked now.
  void unreachable(std::size_t iplist);

  // Sorted by node id.
  [[nodiscard]] std::vector<Member> members() const;

 private:
  struct Answer {
    std::vector<Member> members;
    bool complete = false;
  };
  bool rebuild(SteadyTime now);

  struct Known {
    Member member;
    SteadyTime last_named;
  };
  std::map<std::size_t, Answer> answers_;  // of reachable iplists
  std::map<std::string, Known> known_;     // by node id
};

}  // namespace hongyan::link
