// What a group's owner says to a question. A pure function.
#pragma once

#include "logic/group/mail.h"
#include "logic/group/rules.h"

namespace hongyan::logic {

// At most this many members in one reply.
inline constexpr std::size_t kMostMembersOfAPage = 1000;

// Who may not read the group is refused, but for its head: who left a large group still reads what is theirs.
[[nodiscard]] GroupReply reply_to(const GroupAsk& ask, const GroupState& group);

}  // namespace hongyan::logic
