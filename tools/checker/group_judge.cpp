#include "tools/checker/group_judge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace hongyan::checker {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

struct Sent : Attempts {
  std::int64_t at = 0;  // its group_seq
};

struct Stay {
  std::int64_t from = 0;
  std::int64_t to = kNever;

  [[nodiscard]] bool holds(std::int64_t seq) const noexcept { return from <= seq && seq <= to; }
};

struct Group {
  std::map<std::int64_t, Row> rows;  // by group_seq
  std::map<std::string, std::vector<Stay>> stays;
  std::int64_t large_from = kNever;

  [[nodiscard]] const Stay* stay(const std::string& uid, std::int64_t seq) const {
    const auto it = stays.find(uid);
    if (it == stays.end()) return nullptr;
    const auto found = std::ranges::find_if(it->second, [seq](const Stay& stay) { return stay.holds(seq); });
    return found == it->second.end() ? nullptr : &*found;
  }
  // Whether the row comes by the member's inbox.
  [[nodiscard]] bool by_inbox(const Row& row, const std::string& uid) const {
    if (row.group_seq < large_from || row.change == GroupChange::kDissolved) return true;
    return row.change != GroupChange::kNone && std::ranges::find(row.members, uid) != row.members.end();
  }
};

class Judge {
 public:
  Judge(const History& history, Verdict& verdict) : history_(history), verdict_(verdict) {}

  void run() {
    gather();
    for (const auto& pulled : history_.pulled) {
      learn(pulled, pulled.inbox);
      learn(pulled, pulled.groups);
      for (const auto& row : pulled.groups) {
        auto& from = groups_[row.group_id].large_from;
        from = std::min(from, row.group_seq);
      }
    }
    for (auto& [id, group] : groups_) {
      ++verdict_.groups;
      verdict_.large_groups += group.large_from == kNever ? 0 : 1;
      rows(id, group);
      members(group);
    }
    for (const auto& [key, sent] : sent_) {
      if (sent.accepted != nullptr && sent.at == 0)
        found(Violation::kLost, "{} of {} to group {}: nobody has it", key.second, key.first,
              sent.first->group_id);
    }
    for (const auto& pulled : history_.pulled) received(pulled);
    missing_pulls();
    order();
    pushes();
    told();
  }

 private:
  template <typename... Args>
  void found(Violation violation, fmt::format_string<Args...> format, Args&&... args) {
    verdict_.add(violation, format, std::forward<Args>(args)...);
  }

  void gather() {
    for (const auto& attempt : history_.attempts) {
      if (attempt.group_id == 0) continue;
      Sent& sent = sent_[{attempt.sender, attempt.client_msg_id}];
      sent.add(attempt);
      if (attempt.outcome != Outcome::kOk) continue;
      if (attempt.msg_id != sent.accepted->msg_id) {
        found(Violation::kUnstableId, "{} of {}: msg_id {}, and {}", attempt.client_msg_id, attempt.sender,
              sent.accepted->msg_id, attempt.msg_id);
      }
    }
    for (const auto& [key, sent] : sent_) {
      ++(sent.accepted != nullptr ? verdict_.acknowledged
         : sent.unknown           ? verdict_.unknown
                                  : verdict_.refused);
    }
  }

  // What stands where, by all who pulled.
  void learn(const Pulled& pulled, const std::vector<Row>& rows) {
    for (const auto& row : rows) {
      if (row.group_id == 0) continue;
      const auto [it, fresh] = groups_[row.group_id].rows.try_emplace(row.group_seq, row);
      if (it->second.msg_id != row.msg_id) {
        found(Violation::kForked, "group {} seq {}: {} on {} has msg_id {}, another has {}", row.group_id,
              row.group_seq, pulled.uid, pulled.device, row.msg_id, it->second.msg_id);
      } else if (it->second.content != row.content) {
        found(Violation::kChanged, "group {} seq {}: {} on {} has {} bytes, another has {}", row.group_id,
              row.group_seq, pulled.uid, pulled.device, row.content.size, it->second.content.size);
      }
      // Of many, each who is concerned is told his own name: together they have all.
      for (const auto& uid : row.members) {
        auto& known = it->second.members;
        if (std::ranges::find(known, uid) == known.end()) known.push_back(uid);
      }
    }
  }

  // What stands in the group, against what was sent.
  void rows(std::int64_t id, const Group& group) {
    std::map<std::int64_t, std::int64_t> places;  // msg_id to group_seq
    std::int64_t last = 0;
    for (const auto& [seq, row] : group.rows) {
      if (seq != last + 1) found(Violation::kGap, "group {}: {} after {}", id, seq, last);
      last = seq;
      if (const auto [place, fresh] = places.emplace(row.msg_id, seq); !fresh) {
        found(Violation::kForked, "group {}: msg_id {} at {} and {}", id, row.msg_id, place->second, seq);
        continue;
      }
      if (row.members.size() < static_cast<std::size_t>(row.concerned))
        found(Violation::kLost, "group {} seq {}: of {} whom it concerns only {} have it", id, seq,
              row.concerned, row.members.size());
      if (row.change == GroupChange::kMade) continue;  // was made before anything was recorded of the group
      const auto it = sent_.find({row.from, row.client_msg_id});
      if (it == sent_.end()) {
        found(Violation::kGhost, "group {} seq {}: {} of {} was never sent", id, seq, row.client_msg_id,
              row.from);
        continue;
      }
      against(id, row, it->second);
    }
  }

  void against(std::int64_t id, const Row& row, Sent& sent) {
    if (sent.first->group_id != id) {
      return found(Violation::kMisrouted, "group {} seq {}: {} of {} was sent to {}", id, row.group_seq,
                   row.client_msg_id, row.from, sent.first->group_id);
    }
    if (sent.at != 0) {
      return found(Violation::kDuplicate, "group {} seq {}: {} of {} stands at {}", id, row.group_seq,
                   row.client_msg_id, row.from, sent.at);
    }
    sent.at = row.group_seq;
    if (sent.refused()) {
      found(Violation::kGhost, "group {} seq {}: {} of {} was refused", id, row.group_seq, row.client_msg_id,
            row.from);
    }
    if (!sent.first->change && row.content != sent.first->content) {
      found(Violation::kChanged, "group {} seq {}: {} of {} was {} bytes, is {}", id, row.group_seq,
            row.client_msg_id, row.from, sent.first->content.size, row.content.size);
    }
    if (sent.accepted != nullptr && sent.accepted->msg_id != row.msg_id) {
      found(Violation::kUnstableId, "group {} seq {}: {} of {} was acknowledged as {}, is {}", id,
            row.group_seq, row.client_msg_id, row.from, sent.accepted->msg_id, row.msg_id);
    }
  }

  static void members(Group& group) {
    for (const auto& [seq, row] : group.rows) {
      for (const auto& uid : row.members) {
        auto& stays = group.stays[uid];
        const bool inside = !stays.empty() && stays.back().to == kNever;
        const bool joins = row.change == GroupChange::kMade || row.change == GroupChange::kJoined;
        if (joins && !inside) stays.push_back({.from = seq});
        if (row.change == GroupChange::kLeft && inside) stays.back().to = seq;
      }
      if (row.change != GroupChange::kDissolved) continue;
      for (auto& [uid, stays] : group.stays) stays.back().to = std::min(stays.back().to, seq);
    }
    std::erase_if(group.stays, [](const auto& entry) { return entry.second.empty(); });
  }

  // The group_seqs of one group in what a device pulled, which come in their order.
  std::set<std::int64_t> seqs(const Pulled& pulled, const std::vector<Row>& rows, std::int64_t id,
                              std::string_view by) {
    std::set<std::int64_t> out;
    std::int64_t last = 0;
    for (const auto& row : rows) {
      if (row.group_id != id) continue;
      const bool again = !out.insert(row.group_seq).second;
      if (again) {
        found(Violation::kDuplicate, "{} on {}: group {} seq {} twice {}", pulled.uid, pulled.device, id,
              row.group_seq, by);
      } else if (row.group_seq < last) {
        found(Violation::kForked, "{} on {}: group {} seq {} after {} {}", pulled.uid, pulled.device, id,
              row.group_seq, last, by);
      }
      last = std::max(last, row.group_seq);
    }
    return out;
  }

  void received(const Pulled& pulled) {
    for (const auto& [id, group] : groups_) {
      const auto inbox = seqs(pulled, pulled.inbox, id, "in the inbox");
      const auto pages = seqs(pulled, pulled.groups, id, "by the group");
      for (const auto& [seq, row] : group.rows) {
        const bool in = group.stay(pulled.uid, seq) != nullptr;
        const bool has = inbox.contains(seq) || pages.contains(seq);
        if (has && !in)
          found(Violation::kMisrouted, "{} on {}: group {} seq {}, not a member", pulled.uid, pulled.device,
                id, seq);
        if (inbox.contains(seq) && pages.contains(seq) && row.change == GroupChange::kNone)
          found(Violation::kDuplicate, "{} on {}: group {} seq {} both ways", pulled.uid, pulled.device, id,
                seq);
        if (!in) continue;
        const bool wanted =
            group.by_inbox(row, pulled.uid) ? !inbox.contains(seq) : pulled.fresh && !pages.contains(seq);
        if (wanted) lost(pulled.uid, pulled.device, id, row);
      }
    }
  }

  void missing_pulls() {
    std::set<std::string> pulled;
    for (const auto& one : history_.pulled) pulled.insert(one.uid);
    for (const auto& [id, group] : groups_) {
      for (const auto& [uid, stays] : group.stays) {
        if (!pulled.contains(uid)) found(Violation::kLost, "{} never pulled: group {}", uid, id);
      }
    }
  }

  void lost(const std::string& uid, const std::string& device, std::int64_t id, const Row& row) {
    found(Violation::kLost, "{} on {}: group {} seq {}, msg_id {}, {} of {}", uid, device, id, row.group_seq,
          row.msg_id, row.client_msg_id, row.from);
  }

  void order() {
    std::map<std::pair<std::int64_t, std::string>, std::map<std::int64_t, const Sent*>> lines;
    for (const auto& [key, sent] : sent_) {
      if (sent.accepted != nullptr && sent.at != 0 && !sent.first->change)
        lines[{sent.first->group_id, key.first}][sent.at] = &sent;
    }
    for (const auto& [key, line] : lines) {
      Micros answered = std::numeric_limits<Micros>::max();  // of what is stored later, the earliest
      for (auto it = line.rbegin(); it != line.rend(); ++it) {
        if (it->second->first->invoked > answered) {
          found(Violation::kInversion, "group {} seq {}: {} of {} was sent after one stored later", key.first,
                it->first, it->second->first->client_msg_id, key.second);
        }
        answered = std::min(answered, it->second->accepted->answered);
      }
    }
  }

  void pushes() {
    for (const auto& push : history_.pushes) {
      const Row& row = push.row;
      if (row.group_id == 0) continue;
      const auto group = groups_.find(row.group_id);
      const Row* stored = nullptr;
      if (group != groups_.end()) {
        const auto it = group->second.rows.find(row.group_seq);
        if (it != group->second.rows.end()) stored = &it->second;
      }
      if (stored == nullptr || stored->msg_id != row.msg_id) {
        found(Violation::kRegress, "push to {} on {}: group {} seq {} was {}, the group has {}", push.uid,
              push.device, row.group_id, row.group_seq, row.msg_id, stored == nullptr ? 0 : stored->msg_id);
      } else if (group->second.stay(push.uid, row.group_seq) == nullptr) {
        found(Violation::kMisrouted, "push to {} on {}: group {} seq {}, not a member", push.uid, push.device,
              row.group_id, row.group_seq);
      } else if (row.content != stored->content) {
        found(Violation::kChanged, "push to {} on {}: group {} seq {} was {} bytes, is {}", push.uid,
              push.device, row.group_id, row.group_seq, row.content.size, stored->content.size);
      }
    }
  }

  using Steps = std::map<std::int64_t, Micros>;  // a seq to when it was first heard of

  void told() {
    std::map<std::pair<std::string, std::string>, std::map<std::int64_t, Steps>>
        heard;  // group_id 0: the inbox
    std::vector<const Head*> heads;
    for (const auto& head : history_.heads) heads.push_back(&head);
    std::ranges::sort(heads, {}, &Head::at);
    for (const Head* head : heads) {
      Steps& steps = heard[{head->uid, head->device}][head->group_id];
      if (steps.empty() || head->inbox_seq > steps.rbegin()->first) steps[head->inbox_seq] = head->at;
    }
    std::map<std::string, const Pulled*> pulls;
    for (const auto& pulled : history_.pulled) pulls.emplace(pulled.uid, &pulled);
    for (const auto& online : history_.online) {
      auto& device = heard[{online.uid, online.device}];
      if (const auto pulled = pulls.find(online.uid); pulled != pulls.end()) {
        for (const auto& row : pulled->second->inbox) {
          if (row.group_id != 0) heard_of(online, device[0], row.seq, row);
        }
      }
      for (const auto& [id, group] : groups_) {
        for (const auto& [seq, row] : group.rows) {
          if (!group.by_inbox(row, online.uid) && group.stay(online.uid, seq) != nullptr)
            heard_of(online, device[id], seq, row);
        }
      }
    }
  }

  void heard_of(const Online& online, const Steps& steps, std::int64_t seq, const Row& row) {
    const auto sent = sent_.find({row.from, row.client_msg_id});
    if (sent == sent_.end() || sent->second.accepted == nullptr) return;
    const Micros deadline =
        std::max({history_.healed, online.since, sent->second.accepted->answered}) + kPushDeadline;
    const auto step = steps.lower_bound(seq);
    if (step != steps.end() && step->second <= deadline) return;
    found(Violation::kNeverPushed, "{} on {}: did not hear of group {} seq {}", online.uid, online.device,
          row.group_id, row.group_seq);
  }

  const History& history_;
  Verdict& verdict_;
  std::map<std::pair<std::string, std::string>, Sent> sent_;  // by sender, client_msg_id
  std::map<std::int64_t, Group> groups_;
};

}  // namespace

void judge_groups(const History& history, Verdict& verdict) { Judge(history, verdict).run(); }

}  // namespace hongyan::checker
