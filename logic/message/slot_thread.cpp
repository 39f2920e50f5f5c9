#include "logic/message/slot_thread.h"

#include <unordered_set>

namespace hongyan::logic {

SlotThread::SlotThread(const Deps& deps)
    : deps_(deps),
      context_{.index = deps.index,
               .thread_count = deps.thread_count,
               .config = deps.config,
               .shards = deps.shards,
               .clock = deps.clock,
               .counters = deps.counters,
               .events = deps.events,
               .slots = {}},
      port_(*this),
      cursors_(context_, deps.post),
      pusher_(context_, cursors_),
      lanes_(context_, port_),
      accept_(context_, [this](AcceptWork& work) { stored_in_outbox(work); }),
      delivery_(context_, port_, [this](const DeliverWork& work) { pusher_.stored_in_inbox(work); }),
      sessions_(context_, cursors_, pusher_, deps.verifier, deps.routes),
      pull_(context_, pusher_, sessions_, deps.post),
      uploads_(context_, deps.uploads),
      server_calls_(context_, accept_, pusher_, sessions_),
      outgoing_(deps.thread_count),
      upkeep_under_way_(deps.shards.size(), false) {
  lanes_.post = deps.post;
}

bool SlotThread::Port::send_batch(LaneBatch& batch) {
  // One node: the owner of the destination is the slot's thread here, which refuses what it does not own.
  const std::uint32_t thread = thread_.context_.thread_of(batch.lane.destination);
  thread_.outgoing_[thread].batches.push_back(std::move(batch));
  return true;
}

void SlotThread::Port::send_result(std::uint32_t source_thread, LaneResult result) {
  thread_.outgoing_[source_thread].results.push_back(std::move(result));
}

void SlotThread::request(const Request& request) {
  if (context_.slots.status(request.slot) == SlotStatus::kNotOwned) {
    PipelineCounters::add(context_.counters.not_owner);
    if (request.reply_to.seq != 0) {
      request.reply_to.gate->respond_not_owner(request.reply_to.seq, request.slot, 0);
    }
    return;
  }
  switch (request.cmd_id) {
    case client::COMMAND_AUTH:
      return sessions_.auth(request);
    case client::COMMAND_LOGOUT:
      return sessions_.logout(request);
    case client::COMMAND_C2S:
      return uploads_.c2s(request);
    case client::COMMAND_C2C_SEND:
      return accept_.c2c(request);
    case client::COMMAND_PULL:
      return pull_.pull(request);
    case client::COMMAND_S2C:
    case client::COMMAND_C2C_PUSH:
    case client::COMMAND_C2G_PUSH:
    case client::COMMAND_SENT_PUSH:
    case client::COMMAND_CTRL_PUSH:
      return pusher_.ack(request);
    default:
      if (is_internal(request.cmd_id)) return server_calls_.handle(request);
      return context_.refuse(request.reply_to,
                             {Code::kUnknownCommand, "command is not known to this server"});
  }
}

void SlotThread::sessions(const GatePortPtr& gate, const link::Sessions& told) {
  for (const auto& session : told.sessions()) {
    const Slot slot = slot_of(session.app_id(), session.uid());
    if (context_.thread_of(slot) != context_.index || context_.slots.status(slot) == SlotStatus::kNotOwned)
      continue;
    if (told.announce()) {
      sessions_.announced(gate, session, slot);
    } else {
      sessions_.alive(gate, session, slot);
    }
  }
}

void SlotThread::stored_in_outbox(AcceptWork& work) {
  pusher_.stored_in_outbox(work);
  auto deliver = std::make_unique<DeliverWork>();
  deliver->slot = slot_of(work.user.app_id, work.to);
  deliver->user = {.app_id = work.user.app_id, .uid = std::move(work.to)};
  deliver->msg_id = work.msg_id;
  deliver->from = std::move(work.user.uid);
  deliver->client_msg_id = std::move(work.client_msg_id);
  deliver->content = std::move(work.content);
  deliver->send_time = work.send_time;
  deliver->cmd_id = work.cmd_id;
  deliver->msg_type = work.msg_type;
  deliver->lookup_first = work.outcome == WriterWork::Outcome::kExists;
  lanes_.add(work.slot, std::move(deliver));
}

void SlotThread::works_finished(std::vector<WriterWorkPtr> works) {
  for (auto& work : works) {
    switch (work->kind()) {
      case WriterWork::Kind::kOutbox:
        accept_.finished(std::unique_ptr<AcceptWork>(static_cast<AcceptWork*>(work.release())));
        break;
      case WriterWork::Kind::kInbox:
        delivery_.finished(DeliverWorkPtr(static_cast<DeliverWork*>(work.release())));
        break;
      case WriterWork::Kind::kTails:
        sessions_.tails_finished(static_cast<const TailsWork&>(*work));
        break;
    }
  }
}

void SlotThread::uploads_finished(const std::vector<UploadWorkPtr>& uploads) {
  for (const auto& upload : uploads) uploads_.finished(*upload);
}

void SlotThread::mail(ThreadMail mail) {
  for (auto& result : mail.results) lanes_.result(std::move(result));
  for (auto& batch : mail.batches) delivery_.take(std::move(batch));
}

void SlotThread::shard_acquired(std::size_t shard, std::span<const AcquiredSlot> slots,
                                std::vector<RedoRow> redo, std::span<const MsgId> pending) {
  for (const auto& acquired : slots) {
    if (context_.thread_of(acquired.slot) == context_.index) context_.slots.acquire(acquired, shard);
  }
  const std::unordered_set<MsgId> stand_in_pending(pending.begin(), pending.end());
  for (auto& row : redo) {
    SlotState* state = context_.slots.find(row.slot);
    if (state == nullptr) continue;
    const Slot source = row.slot;
    const MsgId id = row.message.msg_id;
    // Redo comes before anything new: lanes keep the order of add().
    if (stand_in_pending.contains(id)) {
      state->unfinished.add_pending(id);
    } else {
      state->unfinished.add(id);
    }
    lanes_.add(source, deliver_work_of(std::move(row), context_.thread_count));
  }
}

void SlotThread::tick() {
  lanes_.tick();
  pusher_.tick();
  sessions_.tick();
  uploads_.tick();
  context_.users.trim();
  cursors_.tick();
  context_.counters.users.store(static_cast<std::int64_t>(context_.users.size()), std::memory_order_relaxed);
  context_.counters.changed_cursors.store(static_cast<std::int64_t>(cursors_.changed()),
                                          std::memory_order_relaxed);
  context_.counters.lanes.store(static_cast<std::int64_t>(lanes_.size()), std::memory_order_relaxed);
}

void SlotThread::upkeep() {
  for (std::size_t shard = 0; shard < context_.shards.size(); ++shard) {
    if (upkeep_under_way_[shard] || context_.shards.at(shard).down()) continue;
    Upkeep upkeep;
    lanes_.collect_pending(shard, upkeep.add_pending, upkeep.remove_pending);
    upkeep.marks = context_.slots.take_marks(shard);
    if (upkeep.add_pending.empty() && upkeep.remove_pending.empty() && upkeep.marks.empty()) continue;
    upkeep_under_way_[shard] = true;
    upkeep.done = [this, shard, add = upkeep.add_pending, remove = upkeep.remove_pending,
                   marks = upkeep.marks](bool committed) {
      deps_.post([this, shard, add, remove, marks, committed] {
        upkeep_under_way_[shard] = false;
        lanes_.pending_written(add, remove, committed);
        context_.slots.marks_written(marks, committed);
      });
    };
    context_.shards.at(shard).write_upkeep(std::move(upkeep));
  }
}

void SlotThread::end_turn() {
  // Mail to this thread itself is handled at once; it may make more.
  for (;;) {
    lanes_.send_ready();
    ThreadMail own = std::move(outgoing_[context_.index]);
    outgoing_[context_.index] = {};
    if (own.empty()) break;
    mail(std::move(own));
  }
  for (std::uint32_t thread = 0; thread < outgoing_.size(); ++thread) {
    if (outgoing_[thread].empty()) continue;
    ThreadMail out = std::move(outgoing_[thread]);
    outgoing_[thread] = {};
    deps_.mail(thread, std::move(out));
  }
}

}  // namespace hongyan::logic
