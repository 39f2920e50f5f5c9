#include "tests/simulator/ledger.h"

#include <algorithm>

namespace hongyan::simulator {

void Ledger::sending(const std::string& id, const std::string& from, const std::string& to,
                     std::int64_t group_id, const std::string& content) {
  const Conversation conversation(from, group_id != 0 ? std::to_string(group_id) : to);
  auto& ids = conversations_[conversation];
  sends_[id] = {.from = from, .to = to, .group_id = group_id, .content = content, .number = ids.size()};
  ids.push_back(id);
}

Ledger::Send* Ledger::find(const std::string& from, const std::string& id) {
  const auto found = sends_.find(id);
  return found == sends_.end() || found->second.from != from ? nullptr : &found->second;
}

void Ledger::acknowledged(const std::string& id, const client::SendReceipt& receipt) {
  Send& send = sends_.at(id);
  world_.trace("ok {} msg_id {} attempts {}", id, receipt.msg_id, receipt.attempts);
  if (send.msg_id == 0) {
    return world_.broken("{} was acknowledged with msg_id {} and is not in the outbox of {}", id,
                         receipt.msg_id, send.from);
  }
  if (send.msg_id != receipt.msg_id) {
    return world_.broken("{} is stored with msg_id {} and was acknowledged with {}", id, send.msg_id,
                         receipt.msg_id);
  }
  send.fate = Fate::kAcknowledged;
  ++acknowledged_count_;
}

void Ledger::failed(const std::string& id, bool definite) {
  Send& send = sends_.at(id);
  world_.trace("{} {}", definite ? "refused" : "unknown", id);
  send.fate = definite ? Fate::kRefused : Fate::kUnknown;
  if (definite && send.msg_id != 0) world_.broken("{} was refused and is stored", id);
}

void Ledger::committed_outbox(const Tables::BoxRow& row) {
  const logic::Message& message = row.message;
  std::int64_t& tail = outbox_tails_[message.from];
  if (row.seq != tail + 1) {
    world_.broken("the outbox of {} has number {} after {}", message.from, row.seq, tail);
  }
  tail = row.seq;
  Send* send = find(message.from, message.client_msg_id);
  if (send == nullptr) return;  // a command of a group
  if (send->msg_id != 0) return world_.broken("{} is stored twice", message.client_msg_id);
  if (send->fate == Fate::kRefused)
    return world_.broken("{} was refused and is stored", message.client_msg_id);
  send->msg_id = message.id;
  send->seq = row.seq;
  if (!by_msg_id_.emplace(message.id, message.client_msg_id).second) {
    world_.broken("msg_id {} was given twice", message.id);
  }
}

void Ledger::committed_inbox(const std::string& uid, const Tables::BoxRow& row) {
  Box& box = inboxes_[uid];
  if (row.seq != static_cast<std::int64_t>(box.rows.size()) + 1) {
    world_.broken("the inbox of {} has number {} after {}", uid, row.seq, box.rows.size());
  }
  if (!box.ids.insert(row.message.id).second)
    world_.broken("msg_id {} is twice in the inbox of {}", row.message.id, uid);
  box.rows.push_back(row.message.id);
  const auto known = by_msg_id_.find(row.message.id);
  if (known == by_msg_id_.end()) return;  // a command of a group
  const Send& send = sends_.at(known->second);
  if (!row.message.content || *row.message.content != send.content) {
    world_.broken("{} has other contents in the inbox of {}", known->second, uid);
  }
  if (send.group_id == 0 && send.to != uid) world_.broken("{} is in the inbox of {}", known->second, uid);
  const Conversation conversation(send.from, send.group_id != 0 ? std::to_string(send.group_id) : send.to);
  auto& arrived = arrived_[uid][conversation];
  if (!arrived.empty() && *arrived.rbegin() > send.number) {
    // Only what was acknowledged before the other was sent must come first; a client sends the next message of a
    // conversation when the one before has ended.
    if (send.fate == Fate::kAcknowledged) {
      world_.broken("{} comes after a later message of its conversation in the inbox of {}", known->second,
                    uid);
    }
  }
  arrived.insert(send.number);
}

void Ledger::committed_group(const logic::GroupRow& row) {
  std::int64_t& tail = group_tails_[row.message.group_id];
  if (row.message.group_seq != tail + 1) {
    world_.broken("group {} has number {} after {}", row.message.group_id, row.message.group_seq, tail);
  }
  tail = row.message.group_seq;
  const auto known = by_msg_id_.find(row.message.id);
  if (known == by_msg_id_.end()) return;
  Send& send = sends_.at(known->second);
  if (send.group_seq != 0)
    world_.broken("{} has two places in group {}", known->second, row.message.group_id);
  send.group_seq = row.message.group_seq;
  auto& placed = placed_[row.message.group_id][{send.from, std::to_string(send.group_id)}];
  if (!placed.empty() && *placed.rbegin() > send.number && send.fate == Fate::kAcknowledged) {
    world_.broken("{} comes after a later message of its sender in group {}", known->second,
                  row.message.group_id);
  }
  placed.insert(send.number);
}

void Ledger::membership(std::int64_t group_id, const std::string& uid, std::int64_t joined,
                        std::int64_t left) {
  members_[group_id][{uid, joined}] = left;
}

void Ledger::delivered(const std::string& uid, const client::Message& message) {
  if (message.sent) return;
  Box& box = inboxes_[uid];
  const auto expected = static_cast<std::int64_t>(box.delivered) + 1;
  if (message.seq != expected) {
    return world_.broken("{} was given number {} of the inbox where {} is next", uid, message.seq, expected);
  }
  if (box.delivered >= box.rows.size() || box.rows[box.delivered] != message.msg_id) {
    return world_.broken("{} was given msg_id {} as number {}, which it is not", uid, message.msg_id,
                         message.seq);
  }
  ++box.delivered;
}

void Ledger::head_told(const std::string& uid, std::int64_t head, std::int64_t known) {
  if (head < known) {
    world_.broken("{} was told that the inbox ends at {} after it was told {}", uid, head, known);
  }
  const auto& rows = inboxes_[uid].rows;
  if (head > static_cast<std::int64_t>(rows.size())) {
    world_.broken("{} was told that the inbox ends at {}, where it has {} rows", uid, head, rows.size());
  }
  std::int64_t& highest = heads_[uid];
  highest = std::max(highest, head);
}

std::string Ledger::unfinished() const {
  for (const auto& [id, send] : sends_) {
    if (send.fate == Fate::kUnderWay) return fmt::format("{} is not answered", id);
    if (send.fate != Fate::kAcknowledged) continue;
    if (send.group_id == 0) {
      const auto box = inboxes_.find(send.to);
      if (box == inboxes_.end() || !box->second.ids.contains(send.msg_id)) {
        return fmt::format("{} was acknowledged (msg_id {}) and is not in the inbox of {}", id, send.msg_id,
                           send.to);
      }
      continue;
    }
    if (send.group_seq == 0) return fmt::format("{} was acknowledged and has no place in its group", id);
    const auto members = members_.find(send.group_id);
    if (members == members_.end()) continue;
    for (const auto& [stay, left] : members->second) {
      if (stay.second > send.group_seq || (left != 0 && left < send.group_seq)) continue;
      const auto box = inboxes_.find(stay.first);
      if (box == inboxes_.end() || !box->second.ids.contains(send.msg_id)) {
        return fmt::format("{} has its place in group {} and is not in the inbox of {}", id, send.group_id,
                           stay.first);
      }
    }
  }
  for (const auto& [uid, box] : inboxes_) {
    if (box.delivered == box.rows.size()) continue;
    return fmt::format("{} holds {} of {} messages", uid, box.delivered, box.rows.size());
  }
  return {};
}

}  // namespace hongyan::simulator
