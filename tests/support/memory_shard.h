// A shard in memory, for tests of the pipeline's logic: stores on commit(), fails when told to.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "logic/store/shard.h"

namespace hongyan::logic {

class MemoryShard : public Shard {
 public:
  using Key = std::pair<std::string, std::string>;  // app, uid
  struct OutboxRow {
    std::int64_t seq;
    MsgId id;
    std::string to, client_msg_id, content;
    std::int32_t cmd_id;
    std::int64_t send_time;
    Slot slot;
    std::int64_t group_id = 0;
    std::int32_t msg_type = 0;
    SharedBytes mentions = nullptr;
  };
  struct InboxRow {
    std::int64_t seq;
    MsgId id;
    std::string from, content;
    std::int64_t group_seq = 0;
    std::int32_t cmd_id = 0;
    std::int32_t msg_type = 0;
  };
  struct StoredGroup {
    GroupInfo info;
    std::vector<GroupMember> members;
    std::vector<GroupRow> rows;
    std::vector<CtrlOutcome> outcomes;
    std::map<std::string, std::int64_t> invited;
    Slot slot = 0;
  };
  using GroupName = std::pair<std::string, std::int64_t>;  // app, group_id

  explicit MemoryShard(MsgIdClock& clock) : clock_(clock) {}

  void start() override {}
  void stop() override {}
  void set_ready(bool) override {}
  void leave() override {}
  void submit(WriterWorkPtr work) override { queue.push_back(std::move(work)); }
  void submit(GroupWorkPtr work) override { group_queue.push_back(std::move(work)); }
  [[nodiscard]] bool serving() const noexcept override { return beats; }
  [[nodiscard]] bool down() const noexcept override { return is_down; }
  [[nodiscard]] std::string trouble() const override { return {}; }

  void read_inbox(UserKey user, std::int64_t after, std::int64_t up_to, std::size_t limit,
                  std::size_t byte_budget, ReadDone done) override {
    if (hold_reads) {
      return held_reads.push_back(
          [=, this, done = std::move(done)] { read_inbox(user, after, up_to, limit, byte_budget, done); });
    }
    std::vector<StoredMessage> out;
    for (const auto& row : inbox[{user.app_id, user.uid}]) {
      if (row.seq <= after || row.seq > up_to || out.size() == limit) continue;
      if (!out.empty() && row.content.size() > byte_budget) break;
      byte_budget -= std::min(byte_budget, row.content.size());
      out.push_back(
          {.seq = row.seq,
           .message = {.id = row.id, .from = row.from, .to = user.uid, .content = share(row.content)}});
    }
    done(std::move(out));
  }
  void read_outbox(UserKey user, std::int64_t after, std::int64_t up_to, std::size_t limit, std::size_t,
                   ReadDone done) override {
    std::vector<StoredMessage> out;
    for (const auto& row : outbox[{user.app_id, user.uid}]) {
      if (row.seq <= after || row.seq > up_to || out.size() == limit) continue;
      out.push_back(
          {.seq = row.seq,
           .message = {.id = row.id, .from = user.uid, .to = row.to, .content = share(row.content)}});
    }
    done(std::move(out));
  }
  void read_accepted(Slot slot, std::vector<MsgId> ids, RedoDone done) override {
    std::vector<RedoRow> out;
    for (const auto& [key, rows] : outbox) {
      for (const auto& row : rows) {
        if (row.slot != slot || std::ranges::find(ids, row.id) == ids.end()) continue;
        out.push_back({.app_id = key.first,
                       .slot = slot,
                       .message = {.id = row.id,
                                   .from = key.second,
                                   .to = row.to,
                                   .client_msg_id = row.client_msg_id,
                                   .content = share(row.content),
                                   .mentions = row.mentions,
                                   .group_id = row.group_id,
                                   .sent_ms = row.send_time,
                                   .command = row.cmd_id,
                                   .type = row.msg_type}});
      }
    }
    ++refills;
    done(std::move(out));
  }
  void read_placed(Slot slot, std::vector<MsgId> ids, PlacedDone done) override {
    std::vector<GroupRedoRow> out;
    for (const auto& [name, group] : groups) {
      for (const auto& row : group.rows) {
        if (group.slot != slot || std::ranges::find(ids, row.placed_id) == ids.end()) continue;
        out.push_back({.app_id = name.first, .slot = slot, .row = row});
      }
    }
    ++refills;
    done(std::move(out));
  }
  void read_group(std::string app_id, std::int64_t group_id, std::int64_t after, std::int64_t up_to,
                  std::size_t limit, std::size_t byte_budget, ReadDone done) override {
    if (refuse_groups) return done(fail(Code::kUnavailable, "refused by the test", 500));
    ++group_reads;
    std::vector<StoredMessage> out;
    for (const auto& row : groups[{app_id, group_id}].rows) {
      const Message& message = row.message;
      if (message.group_seq <= after || message.group_seq > up_to || out.size() == limit) continue;
      if (!out.empty() && message.content->size() > byte_budget) break;
      byte_budget -= std::min(byte_budget, message.content->size());
      out.push_back({.seq = message.group_seq, .message = message});
    }
    done(std::move(out));
  }
  void count_memberships(UserKey, std::vector<UserKey> asked, CountsDone done) override {
    if (refuse) return done(fail(Code::kUnavailable, "refused by the test", 500));
    std::vector<std::size_t> counts;
    for (const auto& user : asked) {
      counts.push_back(static_cast<std::size_t>(std::ranges::count_if(
          memberships[{user.app_id, user.uid}], [](const auto& one) { return one.second.left_seq == 0; })));
    }
    ++counted;
    done(std::move(counts));
  }
  void run_user_request(UserRequest request, UserDone done) override {
    if (refuse) return done(fail(Code::kUnavailable, "refused by the test", 500));
    StoredUser& user = users[{request.user.app_id, request.user.uid}];
    StoredUser out = user;
    if (request.kind == UserRequest::Kind::kBan) out.ban = request.ban;
    if (request.kind == UserRequest::Kind::kRegister && user.created_time == 0) {
      out.created_time = request.created_time;
      out.created = true;
    }
    user = out;
    user.created = false;
    done(out);
  }
  void write_upkeep(Upkeep upkeep) override {
    if (!upkeep_works) return upkeep.done(false);
    for (const auto& entry : upkeep.remove_pending) pending_entries.erase(name_of(entry));
    for (const auto& entry : upkeep.add_pending) {
      pending.insert(entry.id);
      pending_entries[name_of(entry)] = entry;
    }
    for (const auto& update : upkeep.marks) {
      if (!holds || holds(update.slot, update.epoch)) marks[update.slot] = update.mark;
    }
    for (const auto& entry : upkeep.remove_pending) pending.erase(entry.id);
    for (const auto& [user, cursor] : upkeep.cursors) {
      if (cursor.kind == CursorKind::kGroup) {
        auto& seq = group_cursors[{user.app_id, user.uid}][{cursor.device_class, cursor.group_id}];
        seq = std::max(seq, cursor.seq);
        continue;
      }
      auto& seq = cursors[{user.app_id, user.uid}][{cursor.device_class, cursor.kind}];
      seq = std::max(seq, cursor.seq);
    }
    cursor_rows.push_back(upkeep.cursors.size());
    upkeep.done(true);
  }
  [[nodiscard]] std::int64_t clock_ms() const noexcept override { return clock; }
  [[nodiscard]] std::string settings() const override { return {}; }

  // What a writer would do with all that is queued, or the first so many. refuse: as if the server had gone before the
  // batch.
  std::vector<WriterWorkPtr> commit(std::size_t most = SIZE_MAX) {
    std::vector<WriterWorkPtr> batch = take(queue, most);
    for (auto& work : batch) {
      if (!refused(*work, work.as<TailsWork>() == nullptr)) store(work);
    }
    return batch;
  }
  std::vector<GroupWorkPtr> commit_groups(std::size_t most = SIZE_MAX) {
    std::vector<GroupWorkPtr> batch = take(group_queue, most);
    for (auto& work : batch) {
      if (refused(*work, true)) continue;
      work->outcome = StoreWork::Outcome::kStored;
      store_group(*work);
    }
    return batch;
  }

  std::vector<WriterWorkPtr> queue;
  std::vector<GroupWorkPtr> group_queue;
  std::map<Key, std::vector<OutboxRow>> outbox;
  std::map<Key, std::vector<InboxRow>> inbox;
  std::map<GroupName, StoredGroup> groups;
  std::map<Key, std::map<std::pair<std::int64_t, std::int64_t>, Membership>> memberships;
  std::map<Key, std::map<std::pair<DeviceClass, std::int64_t>, std::int64_t>> group_cursors;
  std::map<Slot, MsgId> marks;
  std::set<MsgId> pending;
  std::map<std::tuple<Slot, Slot, MsgId>, PendingEntry> pending_entries;
  std::map<Key, std::map<std::pair<DeviceClass, CursorKind>, std::int64_t>> cursors;
  std::map<Key, StoredUser> users;
  std::vector<std::size_t> cursor_rows;  // of each upkeep written
  bool is_down = false;
  bool beats = true;
  bool refuse = false;
  bool refuse_groups = false;  // reads of their pages
  bool upkeep_works = true;
  // Lets the first of the held reads go on.
  void let_read() {
    const auto read = std::move(held_reads.front());
    held_reads.pop_front();
    hold_reads = false;
    read();
    hold_reads = true;
  }

  bool hold_reads = false;  // of inboxes
  std::deque<std::function<void()>> held_reads;
  int refills = 0;
  int group_reads = 0;
  int counted = 0;  // reads of how many groups users are in
  std::int64_t clock = 1'000'000;

  // Whether the slot is the node's under this epoch; empty: it is.
  std::function<bool(Slot, std::uint64_t epoch)> holds;

  // What its owner finds unfinished of a slot, as it stands.
  void find_redo(Slot slot, Redo& redo) {
    const MsgId mark = marks[slot];
    std::set<MsgId> named;
    for (const auto& [key, entry] : pending_entries) {
      if (entry.slot != slot) continue;
      redo.pending.push_back(entry);
      named.insert(entry.id);
    }
    std::vector<MsgId> ids;
    for (const auto& [key, rows] : outbox) {
      for (const auto& row : rows) {
        if (row.slot == slot && (row.id > mark || named.contains(row.id))) ids.push_back(row.id);
      }
    }
    read_accepted(slot, ids, [&redo](Result<std::vector<RedoRow>> rows) {
      std::ranges::sort(*rows, {}, [](const RedoRow& row) { return row.message.id; });
      std::ranges::move(*rows, std::back_inserter(redo.accepted));
    });
    ids.clear();
    for (const auto& [name, group] : groups) {
      if (group.slot != slot) continue;
      for (const auto& row : group.rows) {
        if (row.placed_id > mark || named.contains(row.placed_id)) ids.push_back(row.placed_id);
      }
    }
    read_placed(slot, ids, [&redo](Result<std::vector<GroupRedoRow>> rows) {
      std::ranges::sort(*rows, {}, [](const GroupRedoRow& row) { return row.row.placed_id; });
      std::ranges::move(*rows, std::back_inserter(redo.placed));
    });
  }

 private:
  template <typename Work>
  static std::vector<Work> take(std::vector<Work>& from, std::size_t most) {
    const auto end = from.begin() + static_cast<std::ptrdiff_t>(std::min(most, from.size()));
    std::vector<Work> taken(std::make_move_iterator(from.begin()), std::make_move_iterator(end));
    from.erase(from.begin(), end);
    return taken;
  }

  bool refused(StoreWork& work, bool writes) const {
    if (holds && !holds(work.slot, work.slot_epoch)) {
      work.outcome = StoreWork::Outcome::kRefused;
      work.error = {Code::kUnavailable, "another node owns the slot", 500};
      work.slot_lost = true;
      return true;
    }
    if (!refuse || !writes) return false;
    work.outcome = StoreWork::Outcome::kRefused;
    work.error = {Code::kUnavailable, "refused by the test", 500};
    return true;
  }

  void store(const WriterWorkPtr& work) {
    const Key key{work->user.app_id, work->user.uid};
    work->outcome = StoreWork::Outcome::kStored;
    if (auto* tails = work.as<TailsWork>()) {
      tails->inbox_seq = static_cast<std::int64_t>(inbox[key].size());
      tails->outbox_seq = static_cast<std::int64_t>(outbox[key].size());
      tails->ban = users[key].ban;
      for (const auto& [which, seq] : cursors[key]) {
        tails->cursors.push_back({.device_class = which.first, .kind = which.second, .seq = seq});
      }
      for (const auto& [which, seq] : group_cursors[key]) {
        tails->cursors.push_back(
            {.device_class = which.first, .kind = CursorKind::kGroup, .seq = seq, .group_id = which.second});
      }
      for (const auto& [id, membership] : memberships[key]) tails->groups.push_back(membership);
    } else if (auto* out = work.as<OutboxWork>()) {
      auto& rows = outbox[key];
      const auto it = std::ranges::find(rows, out->message.client_msg_id, &OutboxRow::client_msg_id);
      if (it != rows.end()) {
        out->outcome = StoreWork::Outcome::kExists;
        out->message.id = it->id;
        out->seq = it->seq;
        out->stored_for = {.to = it->to, .group_id = it->group_id, .command = it->cmd_id};
        out->message.sent_ms = it->send_time;
        return;
      }
      if (out->unless_stored) {
        out->outcome = StoreWork::Outcome::kRefused;
        out->error = *out->unless_stored;
        return;
      }
      Message& message = out->message;
      message.id = clock_.next();
      out->seq = static_cast<std::int64_t>(rows.size()) + 1;
      rows.push_back({out->seq, message.id, message.to, message.client_msg_id, *message.content,
                      message.command, message.sent_ms, out->slot, message.group_id, message.type,
                      message.mentions});
    } else if (auto* in = work.as<InboxWork>()) {
      auto& rows = inbox[key];
      if (in->membership) {
        const auto stay = std::pair(in->membership->group_id, in->membership->joined_seq);
        Membership& known = memberships[key][stay];
        if (in->membership->changed_seq > known.changed_seq) known = *in->membership;
        if (in->membership->is_over()) memberships[key].erase(stay);
      }
      const auto it = std::ranges::find(rows, in->message.id, &InboxRow::id);
      if (it != rows.end()) {
        in->outcome = StoreWork::Outcome::kExists;
        in->seq = it->seq;
        return;
      }
      in->seq = static_cast<std::int64_t>(rows.size()) + 1;
      const Message& message = in->message;
      rows.push_back({in->seq, message.id, message.from, *message.content, message.group_seq, message.command,
                      message.type});
    }
  }

  static std::tuple<Slot, Slot, MsgId> name_of(const PendingEntry& entry) {
    return {entry.slot, entry.destination, entry.id};
  }
  static MsgId id_of(const GroupRow& row) { return row.message.id; }
  static std::int64_t seq_of(const GroupRow& row) { return row.message.group_seq; }

  void store_group(GroupWork& work) {
    const GroupName name{work.user.app_id, work.group_id};
    const auto known = groups.find(name);
    switch (work.op) {
      case GroupWork::Op::kLoad:
        work.found = known != groups.end() && !known->second.rows.empty();
        if (!work.found) return;
        work.info = known->second.info;
        work.head = known->second.rows.back().message.group_seq;
        for (const auto& [uid, seq] : known->second.invited) work.invites.push_back({uid, seq});
        for (const auto& row : known->second.rows) {
          if (work.rows_after && row.message.group_seq > *work.rows_after) work.rows.push_back(row);
        }
        for (const auto& member : known->second.members) {
          if (member.left_seq == 0 || (work.left_since != 0 && member.left_seq >= work.left_since)) {
            work.members.push_back(member);
          }
        }
        return;
      case GroupWork::Op::kFind:
        if (known == groups.end()) return;
        for (const MsgId id : work.ids) {
          if (std::ranges::find(known->second.rows, id, id_of) != known->second.rows.end()) {
            work.placed.push_back(id);
          }
          for (const auto& outcome : known->second.outcomes) {
            if (outcome.msg_id == id) work.outcomes.push_back(outcome);
          }
        }
        return;
      case GroupWork::Op::kStore:
        break;
    }
    StoredGroup& group = groups[name];
    group.slot = work.slot;
    for (const auto& row : work.rows) {
      const bool twice = std::ranges::count(work.rows, id_of(row), id_of) > 1;
      if (twice || std::ranges::find(group.rows, id_of(row), id_of) != group.rows.end() ||
          std::ranges::find(group.rows, seq_of(row), seq_of) != group.rows.end()) {
        work.outcome = StoreWork::Outcome::kRefused;
        work.error = {Code::kAlreadyExists, "twice"};
        return;
      }
    }
    for (const auto& row : work.rows) group.rows.push_back(row);
    if (work.info) group.info = *work.info;
    for (auto& member : group.members) {
      const bool left = work.all_left || std::ranges::find(work.left, member.uid) != work.left.end();
      if (left && member.left_seq == 0) member.left_seq = work.rows.front().message.group_seq;
    }
    for (const auto& uid : work.joined)
      group.members.push_back({uid, work.rows.front().message.group_seq, 0});
    for (const auto& uid : work.uninvited) group.invited.erase(uid);
    if (work.all_left) group.invited.clear();
    for (const auto& uid : work.invited) group.invited[uid] = work.rows.front().message.group_seq;
    if (work.answer) group.outcomes.push_back(*work.answer);
  }

  MsgIdClock& clock_;
};

}  // namespace hongyan::logic
