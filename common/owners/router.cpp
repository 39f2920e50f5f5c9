#include "common/owners/router.h"

#include "common/base/assert.h"

namespace hongyan::owners {

namespace {

// A link_seq: how often the place was used, above the place plus one.
constexpr std::uint32_t kPlaceBits = 20;
constexpr std::uint32_t kPlaceMask = (1U << kPlaceBits) - 1;
constexpr std::size_t kMostRequests = kPlaceMask;
constexpr std::size_t kFirstRequests = 1024;
constexpr std::size_t kKeptBody = 1 << 10;  // memory that an unused request may keep

const Error kNobodyHadIt{Code::kUnavailable, "nobody serves this user now", kRetryMs};
const Error kUnknownOutcome{Code::kDeadlineExceeded, "no answer in time"};

}  // namespace

Router::Router(Requester& requester, RouterOptions options)
    : requester_(requester), options_(options), slots_(kSlotCount) {
  while (requests_.size() < kFirstRequests) {
    Request& request = requests_.emplace_back();
    request.link_seq = static_cast<std::uint32_t>(requests_.size());
    free_.push_back(request);
  }
}

Router::~Router() {
  for (auto& slot : slots_) slot.requests.clear();
  age_.clear();
  free_.clear();
}

std::size_t Router::cost(const Request& request) noexcept { return sizeof(Request) + request.body.size(); }

Request* Router::new_request() {
  if (free_.empty()) {
    if (requests_.size() >= kMostRequests) return nullptr;
    Request& request = requests_.emplace_back();
    request.link_seq = static_cast<std::uint32_t>(requests_.size());
    return &request;
  }
  Request& request = free_.front();
  free_.pop_front();
  return &request;
}

Request* Router::find(std::uint32_t link_seq) noexcept {
  const std::size_t place = link_seq & kPlaceMask;
  if (place == 0 || place > requests_.size()) return nullptr;
  Request& request = requests_[place - 1];
  return request.link_seq == link_seq && request.slot_hook.is_linked() ? &request : nullptr;
}

void Router::drop(Request& request) {
  SlotState& slot = slots_[request.slot];
  if (!request.sent_to.known()) {
    --slot.waiting;
    --waiting_;
  }
  held_bytes_ -= cost(request);
  --in_flight_;
  slot.requests.erase(slot.requests.iterator_to(request));
  age_.erase(age_.iterator_to(request));
  request.link_seq += 1U << kPlaceBits;
  request.body.clear();
  if (request.body.capacity() > kKeptBody) request.body.shrink_to_fit();
  free_.push_back(request);
}

Status Router::submit(const NewRequest& wanted, SteadyTime now) {
  Request* request = held_bytes_ > options_.max_held_bytes ? nullptr : new_request();
  if (request == nullptr) return fail(Code::kUnavailable, "too many requests wait", kRetryMs);
  request->channel = wanted.channel;
  request->slot = wanted.slot;
  request->cmd_id = wanted.cmd_id;
  request->client_seq = wanted.client_seq;
  request->is_send = wanted.is_send;
  request->body = wanted.body;
  request->arrived = now;
  request->sent_to = {};
  request->uncertain = false;

  SlotState& slot = slots_[wanted.slot];
  const bool first = slot.waiting == 0;
  slot.requests.push_back(*request);
  age_.push_back(*request);
  held_bytes_ += cost(*request);
  ++in_flight_;
  ++slot.waiting;
  ++waiting_;
  if (first && owners_.owner(wanted.slot).known() && !send(*request)) retry_later(wanted.slot);
  return {};
}

bool Router::send(Request& request) {
  const Owner& owner = owners_.owner(request.slot);
  switch (requester_.send(owner.node, request)) {
    case Requester::Sent::kNotNow:
      return false;
    case Requester::Sent::kGone:
      drop(request);
      return true;
    case Requester::Sent::kSent:
      break;
  }
  request.sent_to = owner;
  --slots_[request.slot].waiting;
  --waiting_;
  if (request.uncertain) ++resent_;
  return true;
}

void Router::send_slot(Slot index) {
  SlotState& slot = slots_[index];
  if (slot.waiting == 0 || !owners_.owner(index).known()) return;
  for (auto it = slot.requests.begin(); it != slot.requests.end() && slot.waiting > 0;) {
    Request& request = *it++;  // send() may drop it
    if (request.sent_to.known()) continue;
    if (!send(request)) return retry_later(index);
  }
}

void Router::send_waiting(std::span<const Slot> slots) {
  for (const Slot slot : slots) send_slot(slot);
}

void Router::retry_later(Slot slot) {
  if (slots_[slot].to_retry) return;
  slots_[slot].to_retry = true;
  retry_.push_back(slot);
}

void Router::set_waiting(Request& request) {
  request.sent_to = {};
  ++slots_[request.slot].waiting;
  ++waiting_;
}

void Router::owner_changed(Slot slot) {
  for (auto& request : slots_[slot].requests) {
    if (!request.sent_to.known()) continue;
    request.uncertain = true;
    set_waiting(request);
  }
}

std::vector<Slot> Router::node_announced(NodeId node, const Announcement& announcement) {
  auto changed = owners_.announce(node, announcement);
  for (const Slot slot : changed) owner_changed(slot);
  return changed;
}

std::vector<Slot> Router::node_down(NodeId node) {
  auto changed = owners_.forget(node);
  for (const Slot slot : changed) owner_changed(slot);
  return changed;
}

void Router::answer(NodeId node, std::uint32_t link_seq, const Answer& answer) {
  Request* request = find(link_seq);
  if (request == nullptr) return;  // answered already, or too late
  const bool from_owner = request->sent_to.node == node;
  if (answer.not_owner) {
    // Or it was said of an earlier sending, under an epoch of before.
    const bool of_before = answer.known_epoch != 0 && answer.known_epoch < request->sent_to.epoch;
    if (!from_owner || of_before) return;
    // The node took nothing. Unlike after a lost link, nothing is uncertain.
    const Slot slot = request->slot;
    set_waiting(*request);
    const bool moved = owners_.not_owner(slot, node, answer.known_epoch);
    if (moved && owners_.owner(slot).known()) {
      owner_changed(slot);
      send_slot(slot);
    } else {
      retry_later(slot);
    }
    return;
  }
  // A former owner's refusal says nothing about the present one, and its login epoch is not the present
  // one's.
  const bool refuses = answer.refused || answer.partly_refused;
  if (!from_owner && (refuses || answer.login_epoch != 0)) return;
  if (refuses && request->uncertain && request->is_send) {
    requester_.refused(*request, kUnknownOutcome);
  } else {
    requester_.answered(*request, answer);
  }
  drop(*request);
}

void Router::tick(SteadyTime now) {
  while (!age_.empty() && now - age_.front().arrived >= options_.request_deadline) {
    Request& request = age_.front();
    const bool seen = request.sent_to.known() || request.uncertain;
    requester_.refused(request, seen ? kUnknownOutcome : kNobodyHadIt);
    drop(request);
  }
  std::vector<Slot> again;
  again.swap(retry_);
  for (const Slot slot : again) slots_[slot].to_retry = false;
  send_waiting(again);
}

}  // namespace hongyan::owners
