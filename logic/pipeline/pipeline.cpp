#include "logic/pipeline/pipeline.h"

#include <algorithm>
#include <bitset>
#include <unordered_map>

#include "common/protocol/commands.h"

namespace hongyan::logic {

Pipeline::Pipeline(const Deps& deps)
    : deps_(deps),
      context_{.index = deps.index,
               .thread_count = deps.thread_count,
               .config = deps.config,
               .shards = deps.shards,
               .clock = deps.clock,
               .counters = deps.counters,
               .turns = deps.host,
               .events = deps.events,
               .stored_events = deps.stored_events,
               .rules = deps.rules,
               .slots = {}},
      cursors_(context_),
      loader_(context_, cursors_),
      acks_(context_, cursors_, *this),
      pusher_(context_, acks_),
      lanes_(context_, *this, *this),
      accept_(context_, *this),
      delivery_(context_, *this, *this),
      owned_groups_(context_, deps.group_config, lanes_, delivery_, *this),
      logins_({.context = context_,
               .loader = loader_,
               .acks = acks_,
               .verifier = deps.verifier,
               .routes = deps.routes,
               .watcher = *this}),
      group_asks_(context_, *this),
      followed_groups_(context_, cursors_, acks_, group_asks_),
      group_calls_(context_, deps.group_config, accept_, loader_, group_asks_),
      pull_(context_, deps.group_config, acks_, loader_, followed_groups_),
      uploads_(context_, deps.uploads),
      server_calls_(context_, accept_, pusher_, logins_, group_calls_),
      other_nodes_(context_, *this),
      node_calls_({.context = context_,
                   .delivery = delivery_,
                   .owned_groups = owned_groups_,
                   .group_calls = group_calls_}),
      outgoing_(deps.thread_count),
      upkeep_under_way_(deps.shards.size(), false) {}

void Pipeline::send_batch(LaneBatch batch) {
  const Slot destination = batch.id.lane.destination;
  if (context_.owners.elsewhere(destination)) return other_nodes_.send(std::move(batch));
  // The slot's thread here refuses what it does not own.
  outgoing_[context_.thread_of(destination)].batches.push_back(std::move(batch));
}

void Pipeline::send_result(const Origin& source, LaneResult result) {
  if (source.peer) return node_calls_.result(source.peer, result);
  outgoing_[source.thread].results.push_back(std::move(result));
}

void Pipeline::ask(GroupAsk ask) {
  const Slot slot = slot_of_group(ask.group.app_id, ask.group.group_id);
  if (!context_.owners.elsewhere(slot)) {
    outgoing_[context_.thread_of(slot)].groups.asks.push_back(std::move(ask));
  } else if (!other_nodes_.send(slot, ask)) {
    reply(ask.asker, {.number = ask.number,
                      .error = {Code::kUnavailable, "the group's owner is not reached", kRetrySoonMs},
                      .result = {},
                      .not_owner = true});
  }
}

void Pipeline::reply(const Origin& to, GroupReply reply) {
  if (to.peer) return NodeCalls::reply(*to.peer, reply);
  outgoing_[to.thread].groups.replies.push_back(std::move(reply));
}

void Pipeline::answer(Slot slot, CtrlAnswer answer) {
  if (context_.owners.elsewhere(slot)) return other_nodes_.send(slot, answer);
  outgoing_[context_.thread_of(slot)].groups.answers.push_back(std::move(answer));
}

void Pipeline::broadcast(GroupBroadcast message) {
  node_calls_.news(message);
  for (auto& mail : outgoing_) mail.groups.broadcasts.push_back(message);
}

void Pipeline::owners_changed(std::span<const Slot> slots) {
  lanes_.wake(slots);
  followed_groups_.owners_changed(slots);
}

Status Pipeline::from_node(owners::NodeId node, const link::LinkPacket& packet) {
  const Status good = other_nodes_.take(node, packet);
  if (!good) context_.counters.bad_node_packets.add();
  return good;
}

Status Pipeline::from_peer(const PeerPortPtr& port, const link::LinkPacket& packet) {
  const Status good = node_calls_.take(port, packet);
  if (!good) context_.counters.bad_node_packets.add();
  return good;
}

void Pipeline::delivered(const DeliverWork& work) {
  pusher_.delivered(work);
  if (work.membership) followed_groups_.stay_changed(work.user, work.membership->group_id);
}

void Pipeline::request(Request request) {
  const SlotState* slot = context_.slots.find(request.slot);
  request.reply_to.slot = request.slot;
  if (slot == nullptr || (request.slot_epoch != 0 && request.slot_epoch != slot->epoch)) {
    return context_.not_owner(request.reply_to);
  }
  request.slot_epoch = request.reply_to.slot_epoch = slot->epoch;
  switch (protocol::command(request.cmd_id).part) {
    case protocol::Part::kLogin:
      return request.cmd_id == client::COMMAND_AUTH ? logins_.auth(request) : logins_.logout(request);
    case protocol::Part::kMessages:
      return accept_.c2c(request);
    case protocol::Part::kGroups:
      return request.cmd_id == client::COMMAND_C2G_SEND ? group_calls_.c2g(request)
                                                        : group_calls_.ctrl(request);
    case protocol::Part::kUploads:
      return uploads_.c2s(request);
    case protocol::Part::kPull:
      return pull_.pull(request);
    case protocol::Part::kPushes:
      return acks_.ack(request);
    case protocol::Part::kServerCalls:
      return server_calls_.handle(request);
    case protocol::Part::kNone:
      return context_.refuse(request.reply_to,
                             {Code::kUnknownCommand, "command is not known to this server"});
  }
}

void Pipeline::sessions(const GatePortPtr& gate, const link::Sessions& told) {
  for (const auto& session : told.sessions()) {
    const Slot slot = slot_of(session.app_id(), session.uid());
    if (context_.thread_of(slot) != context_.index || context_.slots.status(slot) == SlotStatus::kNotOwned)
      continue;
    if (told.announce()) {
      logins_.announced(gate, session, slot);
    } else {
      logins_.alive(gate, session, slot);
    }
  }
  if (told.announce() && told.last()) logins_.announced_all(*gate, told.slots_version());
}

void Pipeline::accepted(AcceptWork& work) {
  if (work.outcome == StoreWork::Outcome::kStored) context_.tell_stored(work);
  pusher_.accepted(work);
  auto next = deliver(std::move(work.user.app_id), std::move(work.message));
  next->lookup_first = work.outcome == StoreWork::Outcome::kExists;
  lanes_.add(work.slot, std::move(next));
}

void Pipeline::works_finished(std::vector<WriterWorkPtr> works) {
  for (auto& work : works) std::move(work).come_back();
}

void Pipeline::works_finished(std::vector<GroupWorkPtr> works) {
  for (auto& work : works) owned_groups_.finished(std::move(work));
}

void Pipeline::uploads_finished(const std::vector<UploadWorkPtr>& uploads) {
  for (const auto& upload : uploads) uploads_.finished(*upload);
}

void Pipeline::take_mail(ThreadMail mail) {
  for (auto& result : mail.results) lanes_.result(std::move(result));
  for (auto& batch : mail.batches) delivery_.take(std::move(batch));
  take_groups(std::move(mail.groups));
}

void Pipeline::take_groups(GroupMail mail) {
  for (const auto& broadcast : mail.broadcasts) followed_groups_.committed(broadcast);
  for (const auto& answer : mail.answers) group_calls_.answered(answer);
  for (auto& ask : mail.asks) take_ask(std::move(ask));
  for (auto& reply : mail.replies) {
    reply.from = SlotOwners::kHere;
    group_asks_.replied(std::move(reply));
  }
}

void Pipeline::take_ask(GroupAsk ask) {
  const Slot slot = slot_of_group(ask.group.app_id, ask.group.group_id);
  if (context_.slots.status(slot) != SlotStatus::kNotOwned) return owned_groups_.ask(std::move(ask));
  reply(ask.asker, {.number = ask.number,
                    .error = {Code::kUnavailable, "nobody serves the group", kRetryMs},
                    .result = {},
                    .not_owner = true});
}

void Pipeline::slots_lost(std::size_t shard, std::span<const Slot> slots) {
  std::bitset<kSlotCount> lost;
  for (const Slot slot : slots) lost.set(slot);
  followed_groups_.forget_heads([&lost](Slot slot) { return lost.test(slot); });
  std::bitset<kSlotCount> mine;
  for (const Slot slot : slots) {
    if (context_.slots.find(slot) != nullptr) mine.set(slot);
  }
  lanes_.forget([&mine](Slot slot) { return mine.test(slot); });
  Upkeep upkeep;
  for (const Slot slot : slots) {
    if (!mine.test(slot)) continue;
    group_calls_.leave(slot);
    context_.users.retire(slot, [&](User& user) {
      pull_.leave(user);
      logins_.leave(user);
      cursors_.leave(user, upkeep);
    });
    context_.slots.forget(slot);
  }
  // What they give back makes room for what waits behind it, which finds that the slots have left.
  owned_groups_.leave([&mine](Slot slot) { return mine.test(slot); });
  if (upkeep.cursors.empty()) return;
  upkeep.done = [](bool) {};
  context_.shards.at(shard).write_upkeep(std::move(upkeep));
}

void Pipeline::shard_acquired(std::size_t shard, std::span<const AcquiredSlot> slots, Redo redo,
                              std::uint64_t version) {
  std::bitset<kSlotCount> come;
  for (const auto& acquired : slots) come.set(acquired.slot);
  followed_groups_.forget_heads([&come](Slot slot) { return come.test(slot); });
  for (const auto& acquired : slots) {
    if (context_.thread_of(acquired.slot) != context_.index) continue;
    SlotState& state = context_.slots.acquire(acquired, shard);
    state.acquired_at = context_.now();
    state.version = version;
  }
  owners_changed(context_.owners.acquired(slots));
  std::unordered_map<MsgId, std::vector<Slot>> pending;  // destinations
  for (const auto& entry : redo.pending) pending[entry.id].push_back(entry.destination);
  // Redo comes before anything new: lanes keep the order of add().
  for (auto& row : redo.accepted) {
    SlotState* state = context_.slots.find(row.slot);
    if (state == nullptr) continue;
    const Slot source = row.slot;
    auto work = deliver(std::move(row.app_id), std::move(row.message));
    work->lookup_first = true;
    if (pending.contains(work->lane_id)) {
      state->unfinished.add_pending(work->lane_id, work->slot);
    } else {
      state->unfinished.add(work->lane_id);
    }
    lanes_.add(source, std::move(work));
  }
  std::erase_if(redo.placed,
                [this](const GroupRedoRow& row) { return context_.slots.find(row.slot) == nullptr; });
  owned_groups_.redo(std::move(redo.placed), pending);
}

void Pipeline::tick() {
  other_nodes_.tick();
  node_calls_.tick();
  lanes_.tick();
  group_asks_.tick();
  acks_.tick();
  owned_groups_.tick();
  followed_groups_.tick();
  group_calls_.tick();
  logins_.tick();
  uploads_.tick();
  pull_.tick();
  context_.users.trim();
  cursors_.tick();
  context_.counters.users.store(static_cast<std::int64_t>(context_.users.size()), std::memory_order_relaxed);
  context_.counters.changed_cursors.store(static_cast<std::int64_t>(cursors_.changed()),
                                          std::memory_order_relaxed);
  context_.counters.groups.store(static_cast<std::int64_t>(owned_groups_.size()), std::memory_order_relaxed);
  context_.counters.lanes.store(static_cast<std::int64_t>(lanes_.size()), std::memory_order_relaxed);
}

void Pipeline::upkeep() {
  for (std::size_t shard = 0; shard < context_.shards.size(); ++shard) {
    if (upkeep_under_way_[shard] || context_.shards.at(shard).down()) continue;
    Upkeep upkeep;
    lanes_.collect_pending(shard, upkeep.add_pending, upkeep.remove_pending);
    upkeep.marks = context_.slots.take_marks(shard);
    if (upkeep.add_pending.empty() && upkeep.remove_pending.empty() && upkeep.marks.empty()) continue;
    upkeep_under_way_[shard] = true;
    upkeep.done = [this, shard, add = upkeep.add_pending, remove = upkeep.remove_pending,
                   marks = upkeep.marks](bool committed) {
      context_.later([this, shard, add, remove, marks, committed] {
        upkeep_under_way_[shard] = false;
        lanes_.pending_written(add, remove, committed);
        context_.slots.marks_written(marks, committed);
      });
    };
    context_.shards.at(shard).write_upkeep(std::move(upkeep));
  }
}

void Pipeline::end_turn() {
  // Mail to this thread itself is handled at once; it may make more.
  for (;;) {
    lanes_.send_ready();
    ThreadMail own = std::move(outgoing_[context_.index]);
    outgoing_[context_.index] = {};
    if (own.empty()) break;
    take_mail(std::move(own));
  }
  other_nodes_.flush();
  node_calls_.flush();
  pusher_.flush();
  for (std::uint32_t thread = 0; thread < outgoing_.size(); ++thread) {
    if (outgoing_[thread].empty()) continue;
    ThreadMail out = std::move(outgoing_[thread]);
    outgoing_[thread] = {};
    deps_.host.mail(thread, std::move(out));
  }
}

}  // namespace hongyan::logic
