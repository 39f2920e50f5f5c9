#include "logic/group/groups.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMostPlaced = 128;  // messages of a group stored at once
constexpr std::size_t kMostPlacedBytes = 1 << 20;
constexpr Milliseconds kLoadAgain{500};
constexpr std::size_t kMostMembersOfAPage = 1000;

using Outcome = StoreWork::Outcome;

}  // namespace

Groups::Group& Groups::group_of(const GroupKey& key) {
  auto& place = groups_[key];
  if (!place) {
    place = std::make_unique<Group>();
    place->key = key;
    place->slot = slot_of_group(key.app_id, key.group_id);
  }
  place->used_at = context_.now();
  return *place;
}

void Groups::take(DeliverWorkPtr post) {
  // Only what does not wait for this: it ends without a message being taken here.
  if (lanes_.fan_out_bytes() > static_cast<std::int64_t>(context_.config.max_unfinished_bytes)) {
    post->error = {Code::kUnavailable, "too much is waiting for delivery", kRetryMs};
    return give_back(std::move(post), Outcome::kRefused);
  }
  Group& group = group_of({.app_id = post->user.app_id, .group_id = post->message.group_id});
  group.queue.push_back(std::move(post));
  pump(group);
}

void Groups::ask(GroupAsk ask) {
  Group& group = group_of(ask.group);
  group.asks.push_back(std::move(ask));
  pump(group);
}

void Groups::redo(std::vector<GroupRedoRow> rows,
                  const std::unordered_map<MsgId, std::vector<Slot>>& pending) {
  std::vector<Group*> touched;
  for (auto& row : rows) {
    Group& group = group_of({.app_id = row.app_id, .group_id = row.row.message.group_id});
    if (group.redo.empty()) touched.push_back(&group);
    SlotState& slot = *context_.slots.find(row.slot);
    FanOut::Again again{.row = std::move(row.row), .all = false, .destinations = {}};
    again.all = again.row.placed_id > slot.mark_written;
    // Holds the id until its members are known.
    if (again.all) slot.unfinished.add(again.row.placed_id);
    if (const auto it = pending.find(again.row.placed_id); it != pending.end())
      again.destinations = it->second;
    group.loaded = false;  // with who left since
    group.redo.push_back(std::move(again));
  }
  for (Group* group : touched) pump(*group);
}

std::unique_ptr<GroupWork> Groups::work_for(Group& group, GroupWork::Op op) {
  auto work = std::make_unique<GroupWork>(op);
  work->user.app_id = group.key.app_id;
  work->group_id = group.key.group_id;
  work->slot = group.slot;
  work->worker = context_.index;
  work->deadline = context_.now() + context_.config.accept_deadline;
  return work;
}

void Groups::submit(Group& group, std::unique_ptr<GroupWork> work) {
  group.busy = true;
  context_.shards.of(group.slot).submit(std::move(work));
}

void Groups::pump(Group& group) {
  while (!group.busy && !group.idle()) {
    if (!group.loaded) {
      if (context_.now() < group.retry_at) return;
      auto work = work_for(group, GroupWork::Op::kLoad);
      for (const auto& again : group.redo) {
        if (work->left_since == 0 || again.row.message.group_seq < work->left_since) {
          work->left_since = again.row.message.group_seq;
        }
      }
      if (group.doubted) {
        work->rows_after = group.state.head;
        const std::int64_t above = group.state.head + 1;
        work->left_since = work->left_since == 0 ? above : std::min(work->left_since, above);
      }
      return submit(group, std::move(work));
    }
    for (; !group.redo.empty(); group.redo.pop_front()) fan_out_again(group, group.redo.front());
    group.history.clear();
    for (; !group.asks.empty(); group.asks.pop_front()) reply(group, group.asks.front());
    if (group.queue.empty()) return;
    take_run(group);
    const bool unsure =
        std::ranges::any_of(group.placing, [](const DeliverWorkPtr& post) { return post->lookup_first; });
    if (unsure) {
      auto work = work_for(group, GroupWork::Op::kFind);
      for (const auto& post : group.placing) work->ids.push_back(post->message.id);
      return submit(group, std::move(work));
    }
    if (is_group_command(group.placing.front()->message.command)) {
      place_command(group);
    } else {
      place_messages(group);
    }
  }
}

// A command alone, or messages in a row, each once.
void Groups::take_run(Group& group) {
  std::size_t bytes = 0;
  while (!group.queue.empty() && group.placing.size() < kMostPlaced && bytes < kMostPlacedBytes) {
    const bool command = is_group_command(group.queue.front()->message.command);
    if (command && !group.placing.empty()) return;
    const MsgId id = group.queue.front()->message.id;
    const auto same = [id](const DeliverWorkPtr& post) { return post->message.id == id; };
    if (std::ranges::any_of(group.placing, same)) return;
    bytes += group.queue.front()->bytes();
    group.placing.push_back(std::move(group.queue.front()));
    group.queue.pop_front();
    if (command) return;
  }
}

GroupRow Groups::row_of(Group& group, const DeliverWork& post, std::int64_t seq) {
  UnfinishedIds& unfinished = context_.slots.find(group.slot)->unfinished;
  const MsgId placed_id = context_.clock.next();
  unfinished.add(placed_id);
  Message message = post.message;
  message.group_seq = seq;
  message.command = told_command(message.command);
  return {.message = std::move(message), .placed_id = placed_id};
}

void Groups::place_messages(Group& group) {
  if (!group.state.exists || group.state.dissolved()) {
    // Accepted, and meant for members that there are none of.
    for (auto& post : std::exchange(group.placing, {})) give_back(std::move(post), Outcome::kStored);
    return;
  }
  auto work = work_for(group, GroupWork::Op::kStore);
  std::int64_t seq = group.state.head;
  for (const auto& post : group.placing) work->rows.push_back(row_of(group, *post, ++seq));
  submit(group, std::move(work));
}

void Groups::place_command(Group& group) {
  const DeliverWork& post = *group.placing.front();
  GroupCommand command{.type = static_cast<client::CtrlType>(post.message.type),
                       .actor = post.message.from,
                       .service = post.message.command == internal::COMMAND_CTRL,
                       .time_ms = post.message.sent_ms,
                       .op = {}};
  const bool parsed = parse(command.op, *post.message.content);
  auto change = parsed ? decide(group.state, command, context_.config.group)
                       : fail(Code::kBadRequest, "content does not parse");
  auto work = work_for(group, GroupWork::Op::kStore);
  work->answer = CtrlOutcome{.msg_id = post.message.id, .error = {Code::kOk, ""}, .result = {}};
  if (!change) {
    work->answer->error = change.error();
    return submit(group, std::move(work));
  }
  GroupRow row = row_of(group, post, group.state.head + 1);
  row.message.content = share(change->told.SerializeAsString());
  work->rows.push_back(std::move(row));
  work->info = change->info;
  work->joined = change->joined;
  work->left = change->left;
  work->all_left = change->all_left;

  GroupState after = {.exists = true, .info = change->info, .head = 0, .members = {}};
  client::GroupOpResult result;
  describe(after, group.key.group_id, *result.mutable_group());
  const std::size_t members =
      change->all_left ? 0 : group.state.members.size() + change->joined.size() - change->left.size();
  result.mutable_group()->set_member_count(static_cast<std::int32_t>(members));
  for (const auto& uid : change->joined) result.add_members(uid);
  for (const auto& uid : change->left) result.add_members(uid);
  work->answer->result = result.SerializeAsString();
  group.change = std::move(*change);
  submit(group, std::move(work));
}

void Groups::finished(std::unique_ptr<GroupWork> work) {
  const auto it = groups_.find({.app_id = work->user.app_id, .group_id = work->group_id});
  if (it == groups_.end()) return;  // cannot be: it is busy
  Group& group = *it->second;
  group.busy = false;
  switch (work->op) {
    case GroupWork::Op::kLoad:
      loaded(group, *work);
      break;
    case GroupWork::Op::kFind:
      found(group, *work);
      break;
    case GroupWork::Op::kStore:
      stored(group, *work);
      break;
  }
  pump(group);
  if (group.idle() && group.loaded && !group.state.exists) forget(group);
}

void Groups::loaded(Group& group, GroupWork& work) {
  if (work.outcome != Outcome::kStored) {
    group.retry_at = context_.now() + kLoadAgain;
    unloaded_.push_back(group.key);
    return refuse_all(group, work.error);
  }
  if (group.doubted) redo_found(group, work.rows);
  members_ -= group.state.members.size();
  group.loaded = true;
  group.audience.reset();
  group.state = {.exists = work.found, .info = {}, .head = work.head, .members = {}};
  if (work.info) group.state.info = std::move(*work.info);
  for (const auto& member : work.members) {
    if (member.left_seq == 0) group.state.members.emplace(member.uid, member.joined_seq);
  }
  if (!group.redo.empty()) group.history = std::move(work.members);
  members_ += group.state.members.size();
}

// What stands above the head that was known here was not written by this owner, or not as far as it knew.
void Groups::redo_found(Group& group, const std::vector<GroupRow>& rows) {
  group.doubted = false;
  if (rows.empty()) return;
  log::error("group",
             "the order holds messages that its owner did not place app={} group={} from={} count={}",
             group.key.app_id, group.key.group_id, rows.front().message.group_seq, rows.size());
  for (const auto& row : rows) {
    context_.slots.find(group.slot)->unfinished.add(row.placed_id);
    group.redo.push_back({.row = row, .all = true, .destinations = {}});
  }
}

void Groups::found(Group& group, const GroupWork& work) {
  if (work.outcome != Outcome::kStored) return refuse_all(group, work.error);
  auto posts = std::exchange(group.placing, {});
  for (auto post = posts.rbegin(); post != posts.rend(); ++post) {
    (*post)->lookup_first = false;
    const auto outcome = std::ranges::find(work.outcomes, (*post)->message.id, &CtrlOutcome::msg_id);
    const bool placed = std::ranges::find(work.placed, (*post)->message.id) != work.placed.end();
    if (outcome != work.outcomes.end()) {
      answer(**post, {.msg_id = outcome->msg_id, .error = outcome->error, .result = outcome->result}, 0);
    } else if (!placed) {
      group.queue.push_front(std::move(*post));
      continue;
    }
    give_back(std::move(*post), Outcome::kExists);
  }
}

void Groups::stored(Group& group, GroupWork& work) {
  auto posts = std::exchange(group.placing, {});
  const auto change = std::exchange(group.change, {});
  switch (work.outcome) {
    case Outcome::kStored:
    case Outcome::kExists:
      break;
    case Outcome::kParked:
      drop_rows(group, work);
      for (auto& post : posts) {
        if (work.answer) answer(*post, {.msg_id = post->message.id, .error = work.error, .result = {}}, 0);
        give_back(std::move(post), Outcome::kParked);
      }
      return;
    case Outcome::kRefused:
    case Outcome::kPending:
      // Of unknown outcome: the process ends, and its successor finds out.
      if (work.error.code == Code::kDeadlineExceeded) return;
      drop_rows(group, work);
      group.placing = std::move(posts);
      if (work.error.code != Code::kAlreadyExists) return refuse_all(group, work.error);
      for (auto post = group.placing.rbegin(); post != group.placing.rend(); ++post) {
        (*post)->lookup_first = true;
        group.queue.push_front(std::move(*post));
      }
      group.placing.clear();
      group.doubted = true;
      group.loaded = false;
      return;
  }
  context_.counters.placed.add(work.rows.size());
  if (change) {
    members_ -= group.state.members.size();
    group.state.exists = true;
    group.state.info = change->info;
    for (const auto& uid : change->joined)
      group.state.members.emplace(uid, work.rows.front().message.group_seq);
    group.audience.reset();
  }
  for (const auto& row : work.rows) {
    group.state.head = row.message.group_seq;
    fan_out_.send(group.view(), row, change ? &*change : nullptr, group.audience);
  }
  if (change) {
    for (const auto& uid : change->left) group.state.members.erase(uid);
    if (change->all_left) group.state.members.clear();
    members_ += group.state.members.size();
    group.audience.reset();
  }
  for (auto& post : posts) {
    if (work.answer) {
      answer(*post, {.msg_id = post->message.id, .error = work.answer->error, .result = work.answer->result},
             work.rows.empty() ? 0 : work.rows.front().placed_id);
    }
    give_back(std::move(post), Outcome::kStored);
  }
  UnfinishedIds& unfinished = context_.slots.find(group.slot)->unfinished;
  for (const auto& row : work.rows) {
    unfinished.release(row.placed_id);
    if (!unfinished.contains(row.placed_id)) fanned_out(row.placed_id);
  }
  context_.slots.touch(group.slot);
}

void Groups::drop_rows(Group& group, const GroupWork& work) {
  for (const auto& row : work.rows) context_.slots.find(group.slot)->unfinished.release(row.placed_id);
  context_.slots.touch(group.slot);
}

void Groups::give_back(DeliverWorkPtr post, StoreWork::Outcome outcome) {
  post->outcome = outcome;
  delivery_.give_back(std::move(post));
}

// They go back to their lanes, all of them, so that none overtakes another.
void Groups::refuse_all(Group& group, const Error& error) {
  auto posts = std::exchange(group.placing, {});
  std::ranges::move(group.queue, std::back_inserter(posts));
  group.queue.clear();
  for (auto& post : posts) {
    post->error = error;
    give_back(std::move(post), Outcome::kRefused);
  }
  for (auto& ask : std::exchange(group.asks, {})) {
    mail_to(ask.thread, &GroupMail::replies, GroupReply{.number = ask.number, .error = error, .result = {}});
  }
}

void Groups::fan_out_again(Group& group, const FanOut::Again& again) {
  fan_out_.send_again(group.view(), group.history, again);
  if (again.all) context_.slots.find(group.slot)->unfinished.release(again.row.placed_id);
  context_.slots.touch(group.slot);
}

void Groups::mail_to(std::uint32_t thread, auto GroupMail::* part, auto item) {
  GroupMail mail;
  (mail.*part).push_back(std::move(item));
  mailbox_.mail(thread, std::move(mail));
}

void Groups::answer(const DeliverWork& post, CtrlAnswer answer, MsgId placed_id) {
  const std::uint32_t thread = context_.thread_of(slot_of(post.user.app_id, post.message.from));
  if (placed_id == 0) return mail_to(thread, &GroupMail::answers, std::move(answer));
  waiting_[placed_id] = {
      .thread = thread, .answer = std::move(answer), .until = context_.now() + kAnswerPatience};
}

void Groups::fanned_out(MsgId placed_id) {
  const auto it = waiting_.find(placed_id);
  if (it == waiting_.end()) return;
  mail_to(it->second.thread, &GroupMail::answers, std::move(it->second.answer));
  waiting_.erase(it);
}

void Groups::reply(Group& group, GroupAsk& ask) {
  GroupReply reply{.number = ask.number, .error = {Code::kOk, ""}, .head = group.state.head, .result = {}};
  const Status allowed = may_read(group.state, ask.uid, ask.uid.empty());
  // Who left a large group still reads what is theirs, and asks for the head alone.
  if (!allowed && (ask.with_group || ask.with_members)) {
    reply.error = allowed.error();
  } else {
    if (ask.with_group) describe(group.state, group.key.group_id, *reply.result.mutable_group());
    if (ask.with_members) {
      const auto& members = group.state.members;
      auto it = members.begin();
      std::advance(it, std::min<std::int64_t>(ask.offset, static_cast<std::int64_t>(members.size())));
      for (std::size_t n = std::min(ask.limit, kMostMembersOfAPage); n > 0 && it != members.end();
           --n, ++it) {
        reply.result.add_members(it->first);
      }
    }
  }
  mail_to(ask.thread, &GroupMail::replies, std::move(reply));
}

void Groups::tick() {
  const SteadyTime now = context_.now();
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto next = std::next(it);
    if (it->second.until <= now) fanned_out(it->first);
    it = next;
  }
  load_again();
  forget_idle();
}

void Groups::load_again() {
  for (auto& key : std::exchange(unloaded_, {})) {
    const auto it = groups_.find(key);
    if (it == groups_.end()) continue;
    Group& group = *it->second;
    if (group.retry_at > context_.now()) {
      unloaded_.push_back(std::move(key));
    } else if (group.idle() && !group.loaded) {
      forget(group);
    } else {
      pump(group);
    }
  }
}

void Groups::forget(const Group& group) {
  members_ -= group.state.members.size();
  groups_.erase(GroupKey(group.key));
}

// The longest idle, until a tenth of the room is free.
void Groups::forget_idle() {
  const std::size_t most = context_.config.group.members_in_memory;
  if (held() <= most) return;
  std::vector<Group*> idle;
  for (auto& [key, group] : groups_) {
    if (group->idle()) idle.push_back(group.get());
  }
  std::ranges::sort(idle, {}, &Group::used_at);
  for (const Group* group : idle) {
    if (held() <= most - most / 10) return;
    forget(*group);
  }
}

}  // namespace hongyan::logic
