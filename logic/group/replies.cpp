#include "logic/group/replies.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace hongyan::logic {

GroupReply reply_to(const GroupAsk& ask, const GroupState& group) {
  GroupReply reply{.number = ask.number,
                   .error = {Code::kOk, ""},
                   .head = group.head,
                   .members = group.members.size(),
                   .large = group.info.large_from_seq != 0,
                   .result = {}};
  const Status allowed = may_read(group, ask.uid, ask.uid.empty());
  if (!allowed && (ask.with_group || ask.with_members)) {
    reply.error = allowed.error();
    return reply;
  }
  if (ask.with_group) describe(group, ask.group.group_id, *reply.result.mutable_group());
  if (ask.with_members) {
    auto it = group.members.begin();
    std::advance(it, std::min<std::int64_t>(ask.offset, static_cast<std::int64_t>(group.members.size())));
    for (std::size_t n = std::min(ask.limit, kMostMembersOfAPage); n > 0 && it != group.members.end();
         --n, ++it) {
      reply.result.add_members(it->first);
    }
  }
  return reply;
}

}  // namespace hongyan::logic
