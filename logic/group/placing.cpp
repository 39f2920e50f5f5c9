#include "logic/group/placing.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "logic/message/group_key.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMostPlaced = 128;  // messages of a group stored at once
constexpr std::size_t kMostPlacedBytes = 1 << 20;

using Outcome = StoreWork::Outcome;

}  // namespace

std::unique_ptr<GroupWork> Placing::next(const GroupState& group) {
  take_run();
  const bool unsure = std::ranges::any_of(run_, [](const auto& one) { return one->lookup_first; });
  if (unsure) {
    auto work = std::make_unique<GroupWork>(GroupWork::Op::kFind);
    for (const auto& one : run_) work->ids.push_back(one->message.id);
    return work;
  }
  return is_group_command(run_.front()->message.command) ? command(group) : messages(group);
}

// A command alone, or messages in a row, each once.
void Placing::take_run() {
  std::size_t bytes = 0;
  while (!queue_.empty() && run_.size() < kMostPlaced && bytes < kMostPlacedBytes) {
    const bool is_command = is_group_command(queue_.front()->message.command);
    if (is_command && !run_.empty()) return;
    const MsgId id = queue_.front()->message.id;
    if (std::ranges::any_of(run_, [id](const auto& one) { return one->message.id == id; })) return;
    bytes += queue_.front()->bytes();
    run_.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (is_command) return;
  }
}

void Placing::wait_again(std::vector<DeliverWorkPtr> run) {
  queue_.insert(queue_.begin(), std::make_move_iterator(run.begin()), std::make_move_iterator(run.end()));
}

GroupRow Placing::row_of(const DeliverWork& group_message, std::int64_t seq) {
  const MsgId placed_id = parts_.context.clock.next();
  unfinished().add(placed_id);
  Message message = group_message.message;
  message.group_seq = seq;
  message.command = told_command(message.command);
  return {.message = std::move(message), .placed_id = placed_id};
}

std::unique_ptr<GroupWork> Placing::messages(const GroupState& group) {
  if (!group.exists || group.dissolved()) {
    // Accepted, and meant for members that there are none of.
    for (auto& one : std::exchange(run_, {})) give_back(std::move(one), Outcome::kStored);
    return nullptr;
  }
  auto work = std::make_unique<GroupWork>(GroupWork::Op::kStore);
  std::int64_t seq = group.head;
  for (const auto& one : run_) work->rows.push_back(row_of(*one, ++seq));
  return work;
}

std::unique_ptr<GroupWork> Placing::command(const GroupState& group) {
  const DeliverWork& sent = *run_.front();
  GroupCommand command{.type = static_cast<client::CtrlType>(sent.message.type),
                       .actor = sent.message.from,
                       .invite = invite_,
                       .service = sent.message.command == internal::COMMAND_CTRL,
                       .time_ms = sent.message.sent_ms,
                       .op = {}};
  const bool parsed = parse(command.op, *sent.message.content);
  auto change =
      parsed ? decide(group, command, parts_.config) : fail(Code::kBadRequest, "content does not parse");
  auto work = std::make_unique<GroupWork>(GroupWork::Op::kStore);
  work->answer = CtrlOutcome{.msg_id = sent.message.id, .error = {Code::kOk, ""}, .result = {}};
  if (!change) {
    work->answer->error = change.error();
    return work;
  }
  GroupRow row = row_of(sent, group.head + 1);
  row.message.type = static_cast<std::int32_t>(change->told_type);
  row.message.content = share(change->told.SerializeAsString());
  work->rows.push_back(std::move(row));
  work->info = change->info;
  work->joined = change->joined;
  work->left = change->left;
  work->invited = change->invited;
  work->uninvited = change->uninvited;
  work->all_left = change->all_left;
  work->answer->result = result_of(*change, group, key_.group_id).SerializeAsString();
  change_ = std::move(*change);
  return work;
}

void Placing::found(const GroupWork& work) {
  std::vector<DeliverWorkPtr> missing;
  for (auto& one : std::exchange(run_, {})) {
    one->lookup_first = false;
    const auto outcome = std::ranges::find(work.outcomes, one->message.id, &CtrlOutcome::msg_id);
    if (outcome != work.outcomes.end()) {
      parts_.outcomes.answer(*one,
                             {.msg_id = outcome->msg_id, .error = outcome->error, .result = outcome->result});
    } else if (std::ranges::find(work.placed, one->message.id) == work.placed.end()) {
      missing.push_back(std::move(one));
      continue;
    }
    give_back(std::move(one), Outcome::kExists);
  }
  wait_again(std::move(missing));
}

void Placing::stored(const GroupWork& work, GroupState& group, std::shared_ptr<const Audience>& everybody) {
  auto run = std::exchange(run_, {});
  const auto change = std::exchange(change_, {});
  parts_.context.counters.placed.add(work.rows.size());
  if (change) {
    join(group, *change, work.rows.front().message.group_seq);
    everybody.reset();
  }
  for (const auto& row : work.rows) {
    group.head = row.message.group_seq;
    parts_.fan_out.send({key_, slot_, group}, row, change ? &*change : nullptr, everybody);
  }
  if (change) {
    leave(group, *change);
    everybody.reset();
  }
  for (auto& one : run) {
    if (work.answer) {
      parts_.outcomes.answer(
          *one, {.msg_id = one->message.id, .error = work.answer->error, .result = work.answer->result},
          work.rows.empty() ? 0 : work.rows.front().placed_id);
    }
    give_back(std::move(one), Outcome::kStored);
  }
  release(work);
  for (const auto& row : work.rows) {
    if (!unfinished().contains(row.placed_id)) parts_.outcomes.fanned_out(row.placed_id);
  }
}

void Placing::parked(const GroupWork& work) {
  change_.reset();
  release(work);
  for (auto& one : std::exchange(run_, {})) {
    if (work.answer) {
      parts_.outcomes.answer(*one, {.msg_id = one->message.id, .error = work.error, .result = {}});
    }
    give_back(std::move(one), Outcome::kParked);
  }
}

void Placing::not_stored(const GroupWork& work, bool look_for_it) {
  change_.reset();
  release(work);
  for (auto& one : run_) one->lookup_first = one->lookup_first || look_for_it;
  wait_again(std::exchange(run_, {}));
}

void Placing::in_doubt() noexcept {
  change_.reset();
  run_.clear();
}

void Placing::refuse_all(const Error& error) {
  wait_again(std::exchange(run_, {}));
  refuse_waiting(error);
}

void Placing::refuse_waiting(const Error& error) {
  for (auto& one : std::exchange(queue_, {})) {
    one->error = error;
    give_back(std::move(one), Outcome::kRefused);
  }
}

void Placing::left(const GroupWork& work) {
  change_.reset();
  const bool has_places = work.op == GroupWork::Op::kStore &&
                          (work.outcome == Outcome::kStored || work.outcome == Outcome::kExists ||
                           work.outcome == Outcome::kParked);
  for (auto& one : std::exchange(run_, {})) {
    if (has_places && work.answer) {
      const bool parked = work.outcome == Outcome::kParked;
      parts_.outcomes.answer(*one,
                             {.msg_id = one->message.id,
                              .error = parked ? work.error : work.answer->error,
                              .result = parked ? std::string() : work.answer->result},
                             work.rows.empty() || parked ? 0 : work.rows.front().placed_id);
    }
    one->error = work.error;
    one->lookup_first = one->lookup_first || !has_places;
    give_back(std::move(one), has_places ? work.outcome : Outcome::kRefused);
  }
}

void Placing::release(const GroupWork& work) {
  for (const auto& row : work.rows) unfinished().release(row.placed_id);
  parts_.context.slots.touch(slot_);
}

void Placing::give_back(DeliverWorkPtr group_message, StoreWork::Outcome outcome) {
  group_message->outcome = outcome;
  parts_.delivery.give_back(std::move(group_message));
}

}  // namespace hongyan::logic
