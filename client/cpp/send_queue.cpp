#include "client/cpp/send_queue.h"

#include <algorithm>
#include <vector>

#include "common/base/assert.h"

namespace hongyan::client {

namespace {

enum class Verdict : std::uint8_t { kStored, kTookNothing, kUnknown, kFinal };

Verdict judge(const client::Error& error) {
  switch (error.code()) {
    case ERROR_CODE_OK:
      return Verdict::kStored;
    case ERROR_CODE_UNAVAILABLE:
    case ERROR_CODE_RATE_LIMITED:
      return Verdict::kTookNothing;
    case ERROR_CODE_DEADLINE_EXCEEDED:
    case ERROR_CODE_INTERNAL:
      return Verdict::kUnknown;
    default:
      return Verdict::kFinal;
  }
}

Failure failure_of(const client::Error& error) {
  return {.code = static_cast<Code>(error.code()),
          .message = error.message(),
          .retry_after_ms = error.retry_after_ms()};
}

}  // namespace

SendQueue::SendQueue(const CoreOptions& options, Outputs& outputs, Pace& pace, const Random& random)
    : options_(options),
      outputs_(outputs),
      pace_(pace),
      random_(random),
      messages_(random),
      uploads_(random) {}

std::size_t SendQueue::cost(const Request& request) noexcept {
  return request.body.size() + request.conversation.size() + request.client_msg_id.size() + sizeof(Entry);
}

void SendQueue::add(SendId id, Request request, SteadyTime now) {
  if (entries_.size() >= options_.max_pending || bytes_ + cost(request) > options_.max_pending_bytes) {
    outputs_.put(output::SendDone{id, fail(Code::kUnavailable, "too many messages wait for an answer")});
    return;
  }
  if (!ids_in_use_.insert(request.client_msg_id).second) {
    outputs_.put(output::SendDone{id, fail(Code::kBadRequest, "this client_msg_id is being sent already")});
    return;
  }
  if (!options_.strict_order) request.conversation = request.client_msg_id;
  bytes_ += cost(request);
  const SteadyTime deadline = now + request.deadline;
  const auto [entry, added] =
      entries_.try_emplace(id, Entry{.request = std::move(request), .deadline = deadline, .wake = deadline});
  HONGYAN_ASSERT(added);
  wakes_.emplace(deadline, id);
  conversations_[entry->second.request.conversation].push_back(id);
  transmit_if_its_turn(entry, now);
}

void SendQueue::transmit_if_its_turn(Entries::iterator entry, SteadyTime now) {
  if (!online_ || entry->second.phase != Phase::kWaiting) return;
  if (conversations_[entry->second.request.conversation].front() != entry->first) return;
  SendLine& line = line_of(entry->second);
  if (line.may_send(now) && !line.holds()) return transmit(entry, now);
  entry->second.phase = Phase::kHeld;
  line.hold(entry->first);
  transmit_held(line, now);
}

void SendQueue::transmit_held(SendLine& line, SteadyTime now) {
  while (line.holds() && line.may_send(now)) {
    const auto entry = entries_.find(line.take_held());
    entry->second.phase = Phase::kWaiting;
    if (entry->second.deadline > now) transmit(entry, now);  // else on_time() ends it
  }
}

void SendQueue::transmit(Entries::iterator entry, SteadyTime now) {
  Entry& e = entry->second;
  e.seq = outputs_.write(e.request.command, e.request.body);
  e.written = pace_.wrote(e.seq, e.request.body.size(), now);
  by_seq_[e.seq] = entry->first;
  line_of(e).sent();
  e.phase = Phase::kInFlight;
  ++e.attempts;
  set_wake(entry, std::min(e.deadline, pace_.overdue_at(e.written)));
}

void SendQueue::set_wake(Entries::iterator entry, SteadyTime wake) {
  wakes_.erase({entry->second.wake, entry->first});
  entry->second.wake = wake;
  wakes_.emplace(wake, entry->first);
}

void SendQueue::leave_flight(Entries::iterator entry) {
  Entry& e = entry->second;
  if (e.phase == Phase::kInFlight) {
    by_seq_.erase(e.seq);
    line_of(e).landed();
  }
  e.phase = Phase::kWaiting;
}

void SendQueue::pause(Entries::iterator entry, Milliseconds at_least, SteadyTime now) {
  Entry& e = entry->second;
  e.phase = Phase::kPaused;
  const Milliseconds own = backoff(SendLine::kRetryMin, SendLine::kRetryMax, e.refusals, random_);
  ++e.refusals;
  set_wake(entry, std::min(e.deadline, now + at_least + own));
}

void SendQueue::tell_line(const Entry& entry, bool refused, Milliseconds retry_after, SteadyTime now) {
  const Request& request = entry.request;
  // A command asks its group's owner, too: while all goes well its refusal says nothing of others.
  if (refused && request.command != COMMAND_CTRL_SEND) {
    line_of(entry).refused(request.conversation, retry_after, now);
  } else {
    line_of(entry).unanswered(request.conversation, retry_after, now);
  }
}

void SendQueue::finish(Entries::iterator entry, Result<SendReceipt> result, SteadyTime now) {
  const bool held = entry->second.phase == Phase::kHeld;
  leave_flight(entry);
  const SendId id = entry->first;
  Entry& e = entry->second;
  wakes_.erase({e.wake, id});
  if (held) line_of(e).drop(id);
  bytes_ -= cost(e.request);
  ids_in_use_.erase(e.request.client_msg_id);
  const std::string conversation = std::move(e.request.conversation);
  entries_.erase(entry);
  outputs_.put(output::SendDone{id, std::move(result)});
  const auto line = conversations_.find(conversation);
  std::erase(line->second, id);
  if (line->second.empty()) {
    conversations_.erase(line);
  } else {
    transmit_if_its_turn(entries_.find(line->second.front()), now);
  }
}

bool SendQueue::on_response(std::uint32_t seq, SendReceipt receipt, const client::Error& error,
                            SteadyTime now) {
  const auto found = by_seq_.find(seq);
  if (found == by_seq_.end()) return false;
  const auto entry = entries_.find(found->second);
  Entry& e = entry->second;
  SendLine& line = line_of(e);
  leave_flight(entry);
  const Failure failure = failure_of(error);
  switch (judge(error)) {
    case Verdict::kStored:
      line.taken();
      receipt.client_msg_id = e.request.client_msg_id;
      receipt.attempts = e.attempts;
      finish(entry, std::move(receipt), now);
      break;
    case Verdict::kUnknown:
      e.unknown = true;
      tell_line(e, false, Milliseconds(failure.retry_after_ms), now);
      pause(entry, Milliseconds(failure.retry_after_ms), now);
      break;
    case Verdict::kTookNothing:
      tell_line(e, true, Milliseconds(failure.retry_after_ms), now);
      pause(entry, Milliseconds(failure.retry_after_ms), now);
      break;
    case Verdict::kFinal:
      if (e.unknown) {
        finish(
            entry,
            fail(Code::kDeadlineExceeded, "refused after an attempt of unknown outcome: " + failure.message),
            now);
      } else {
        finish(entry, std::unexpected(failure), now);
      }
      break;
  }
  transmit_held(line, now);
  return true;
}

void SendQueue::on_online(SteadyTime now) {
  online_ = true;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) transmit_if_its_turn(entry, now);
}

void SendQueue::on_offline() {
  online_ = false;
  by_seq_.clear();
  messages_.reset();
  uploads_.reset();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    Entry& e = entry->second;
    if (e.phase == Phase::kInFlight) e.unknown = true;
    // A pause asked for by the server ends with its connection: the next one may lead elsewhere.
    e.phase = Phase::kWaiting;
    set_wake(entry, e.deadline);
  }
}

void SendQueue::on_time(SteadyTime now) {
  while (!wakes_.empty() && wakes_.begin()->first <= now) {
    const auto entry = entries_.find(wakes_.begin()->second);
    Entry& e = entry->second;
    if (e.deadline <= now) {
      const bool flying = e.phase == Phase::kInFlight;
      const bool unknown = e.unknown || flying;
      if (flying) tell_line(e, false, Milliseconds(0), now);
      finish(entry,
             fail(Code::kDeadlineExceeded, unknown ? "no answer in time: it may have been stored"
                                                   : "not accepted in time: nothing was stored"),
             now);
      continue;
    }
    if (e.phase == Phase::kInFlight) {
      if (const SteadyTime overdue = pace_.overdue_at(e.written); overdue > now) {
        set_wake(entry, std::min(e.deadline, overdue));
        continue;
      }
      e.unknown = true;
      tell_line(e, false, Milliseconds(0), now);
    }
    leave_flight(entry);
    set_wake(entry, e.deadline);
    transmit_if_its_turn(entry, now);
  }
  transmit_held(messages_, now);
  transmit_held(uploads_, now);
}

void SendQueue::fail_all(const std::string& why) {
  online_ = false;
  by_seq_.clear();
  messages_.reset();
  uploads_.reset();
  conversations_.clear();
  wakes_.clear();
  ids_in_use_.clear();
  bytes_ = 0;
  for (auto& [id, e] : std::exchange(entries_, {})) {
    const bool unknown = e.unknown || e.phase == Phase::kInFlight;
    outputs_.put(output::SendDone{id, fail(unknown ? Code::kDeadlineExceeded : Code::kUnavailable, why)});
  }
}

SteadyTime SendQueue::next_wake() const noexcept {
  const SteadyTime held = std::min(messages_.next_wake(), uploads_.next_wake());
  return wakes_.empty() ? held : std::min(held, wakes_.begin()->first);
}

}  // namespace hongyan::client
