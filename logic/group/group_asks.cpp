#include "logic/group/group_asks.h"

namespace hongyan::logic {

void GroupAsks::ask(GroupAsk ask, Then then) {
  ask.asker = {.thread = context_.index};
  ask.number = next_++;
  deadlines_.emplace_back(context_.now() + kPatience, ask.number);
  Waiting& waiting = waiting_[ask.number];
  waiting.ask = std::move(ask);
  waiting.then = std::move(then);
  send(waiting);
}

void GroupAsks::send(Waiting& waiting) {
  waiting.asked =
      context_.owners.owner(slot_of_group(waiting.ask.group.app_id, waiting.ask.group.group_id)).node;
  mailbox_.ask(waiting.ask);
}

void GroupAsks::replied(GroupReply reply) {
  const auto it = waiting_.find(reply.number);
  if (it == waiting_.end()) return;
  if (reply.not_owner && !it->second.again) {
    it->second.again = true;
    unheard_.push_back(reply.number);
    return;
  }
  end(reply.number, std::move(reply));
}

void GroupAsks::end(std::uint64_t number, GroupReply reply) {
  const auto it = waiting_.find(number);
  const Then then = std::move(it->second.then);
  waiting_.erase(it);
  then(std::move(reply));
}

void GroupAsks::node_down(owners::NodeId node) {
  for (auto& [number, waiting] : waiting_) {
    if (waiting.asked != node || waiting.again) continue;
    waiting.again = true;
    unheard_.push_back(number);
  }
}

void GroupAsks::tick() {
  for (const std::uint64_t number : std::exchange(unheard_, {})) {
    const auto it = waiting_.find(number);
    if (it != waiting_.end()) send(it->second);
  }
  const SteadyTime now = context_.now();
  while (!deadlines_.empty() && deadlines_.front().first <= now) {
    const std::uint64_t number = deadlines_.front().second;
    deadlines_.pop_front();
    if (!waiting_.contains(number)) continue;
    end(number, {.number = number,
                 .error = {Code::kUnavailable, "the group's owner does not answer", kRetryMs},
                 .result = {}});
  }
}

}  // namespace hongyan::logic
