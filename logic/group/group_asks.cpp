#include "logic/group/group_asks.h"

#include <utility>

namespace hongyan::logic {

void GroupAsks::ask(GroupAsk ask, Then then) {
  ask.thread = context_.index;
  ask.number = next_++;
  waiting_.emplace(ask.number, std::move(then));
  const std::uint32_t thread = context_.thread_of(slot_of_group(ask.group.app_id, ask.group.group_id));
  mailbox_.send(thread, &GroupMail::asks, std::move(ask));
}

void GroupAsks::replied(GroupReply reply) {
  const auto it = waiting_.find(reply.number);
  if (it == waiting_.end()) return;
  const Then then = std::move(it->second);
  waiting_.erase(it);
  then(std::move(reply));
}

}  // namespace hongyan::logic
