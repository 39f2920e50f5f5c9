#include "tools/checker/judge.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

#include "tools/checker/group_judge.h"

namespace hongyan::checker {

Digest digest_of(std::string_view bytes) noexcept {
  return {.size = bytes.size(), .hash = XXH3_64bits(bytes.data(), bytes.size())};
}

std::string_view name_of(Violation violation) noexcept {
  constexpr std::array<std::string_view, kViolations> kNames = {
      "lost",    "ghost",     "misrouted",    "duplicate",   "changed", "gap",
      "regress", "inversion", "never_pushed", "unstable_id", "skipped", "forked"};
  return kNames[static_cast<std::size_t>(violation)];
}

namespace {

using Key = std::pair<std::string, std::string>;  // sender, client_msg_id

class Judge {
 public:
  explicit Judge(const History& history) : history_(history) {
    for (const auto& pulled : history.pulled) pulls_[pulled.uid].push_back(&pulled);
  }

  Verdict run() {
    gather();
    for (const auto& pulled : history_.pulled) {
      sequence(pulled, pulled.inbox, "inbox");
      sequence(pulled, pulled.outbox, "outbox");
      rows(pulled, pulled.inbox, /*inbox=*/true);
      rows(pulled, pulled.outbox, /*inbox=*/false);
    }
    losses();
    order();
    pushes();
    heads();
    told();
    if (history_.pushes_follow) followed();
    return std::move(verdict_);
  }

 private:
  template <typename... Args>
  void found(Violation violation, fmt::format_string<Args...> format, Args&&... args) {
    verdict_.add(violation, format, std::forward<Args>(args)...);
  }

  void gather() {
    for (const auto& attempt : history_.attempts) {
      if (attempt.group_id != 0) continue;
      messages_[{attempt.sender, attempt.client_msg_id}].add(attempt);
    }
    for (const auto& attempt : history_.attempts) {
      if (attempt.group_id != 0 || attempt.outcome != Outcome::kOk) continue;
      const Attempt* accepted = messages_[{attempt.sender, attempt.client_msg_id}].accepted;
      if (attempt.msg_id != accepted->msg_id || attempt.outbox_seq != accepted->outbox_seq) {
        found(Violation::kUnstableId, "{} of {}: msg_id {} outbox_seq {}, then {} and {}",
              attempt.client_msg_id, attempt.sender, accepted->msg_id, accepted->outbox_seq, attempt.msg_id,
              attempt.outbox_seq);
      }
    }
    verdict_.attempts = history_.attempts.size();
    for (const auto& [key, message] : messages_) {
      ++(message.accepted != nullptr ? verdict_.acknowledged
         : message.unknown           ? verdict_.unknown
                                     : verdict_.refused);
    }
  }

  void sequence(const Pulled& pulled, const std::vector<Row>& rows, std::string_view box) {
    std::int64_t last = 0;
    for (const auto& row : rows) {
      if (row.seq <= last) {
        found(Violation::kRegress, "{} of {} on {}: {} after {}", box, pulled.uid, pulled.device, row.seq,
              last);
      } else if (row.seq != last + 1) {
        found(Violation::kGap, "{} of {} on {}: {} after {}", box, pulled.uid, pulled.device, row.seq, last);
      }
      last = std::max(last, row.seq);
    }
  }

  // Null: there is a finding.
  const Attempts* stored(const Row& row, const std::string& sender, const std::string& receiver,
                         const std::string& where) {
    const auto it = messages_.find({sender, row.client_msg_id});
    if (it == messages_.end()) {
      found(Violation::kGhost, "{} seq {}: {} of {} was never sent", where, row.seq, row.client_msg_id,
            sender);
      return nullptr;
    }
    const Attempts& message = it->second;
    if (message.first->receiver != receiver) {
      found(Violation::kMisrouted, "{} seq {}: {} of {} was sent to {}", where, row.seq, row.client_msg_id,
            sender, message.first->receiver);
      return nullptr;
    }
    if (message.refused()) {
      found(Violation::kGhost, "{} seq {}: {} of {} was refused", where, row.seq, row.client_msg_id, sender);
    }
    if (row.content != message.first->content) {
      found(Violation::kChanged, "{} seq {}: {} of {} was {} bytes, is {}", where, row.seq, row.client_msg_id,
            sender, message.first->content.size, row.content.size);
    }
    if (message.accepted != nullptr && message.accepted->msg_id != row.msg_id) {
      found(Violation::kUnstableId, "{} seq {}: {} of {} was acknowledged as {}, is {}", where, row.seq,
            row.client_msg_id, sender, message.accepted->msg_id, row.msg_id);
    }
    return &message;
  }

  void rows(const Pulled& pulled, const std::vector<Row>& rows, bool inbox) {
    const std::string where =
        fmt::format("{} of {} on {}", inbox ? "inbox" : "outbox", pulled.uid, pulled.device);
    auto& present = (inbox ? inboxes_ : outboxes_)[&pulled];
    for (const auto& row : rows) {
      if (row.group_id != 0) continue;
      const std::string& sender = inbox ? row.from : pulled.uid;
      const Attempts* message = stored(row, sender, inbox ? pulled.uid : row.to, where);
      if (message == nullptr) continue;
      if (!present.emplace(message, row.seq).second) {
        found(Violation::kDuplicate, "{} seq {}: {} of {} is there before", where, row.seq, row.client_msg_id,
              sender);
      }
      if (!inbox && message->accepted != nullptr && message->accepted->outbox_seq != row.seq) {
        found(Violation::kRegress, "{}: {} was acknowledged as {}, is {}", where, row.client_msg_id,
              message->accepted->outbox_seq, row.seq);
      }
    }
  }

  using Places = std::unordered_map<const Attempts*, std::int64_t>;
  using Boxes = std::unordered_map<const Pulled*, Places>;

  bool anywhere(const Boxes& boxes, const std::string& uid, const Attempts& message) const {
    const auto pulls = pulls_.find(uid);
    return pulls != pulls_.end() && std::ranges::any_of(pulls->second, [&](const Pulled* pulled) {
             return boxes.at(pulled).contains(&message);
           });
  }

  void absent(const Boxes& boxes, const std::string& uid, const Attempts& message, std::string_view box) {
    const auto pulls = pulls_.find(uid);
    const std::string what =
        fmt::format("{} from {} to {}", message.first->client_msg_id, message.first->sender,
                    message.first->receiver) +
        (message.accepted != nullptr ? fmt::format(", msg_id {}", message.accepted->msg_id) : ", unknown");
    if (pulls == pulls_.end()) return found(Violation::kLost, "{} never pulled: {}", uid, what);
    for (const Pulled* pulled : pulls->second) {
      if (!boxes.at(pulled).contains(&message))
        found(Violation::kLost, "not in the {} of {} on {}: {}", box, uid, pulled->device, what);
    }
  }

  void losses() {
    for (const auto& [key, message] : messages_) {
      const std::string& sender = message.first->sender;
      const std::string& receiver = message.first->receiver;
      if (message.accepted == nullptr && !anywhere(inboxes_, receiver, message) &&
          !anywhere(outboxes_, sender, message)) {
        continue;
      }
      absent(inboxes_, receiver, message, "inbox");
      absent(outboxes_, sender, message, "outbox");
    }
  }

  void order() {
    for (const auto& [pulled, places] : inboxes_) {
      std::map<std::string, std::map<std::int64_t, const Attempts*>> by_sender;
      for (const auto& [message, seq] : places) {
        if (message->accepted != nullptr) by_sender[message->first->sender][seq] = message;
      }
      for (const auto& [sender, line] : by_sender) {
        // From the end: the earliest answer to anything that is stored later.
        Micros answered = std::numeric_limits<Micros>::max();
        for (auto it = line.rbegin(); it != line.rend(); ++it) {
          if (it->second->first->invoked > answered) {
            found(Violation::kInversion,
                  "inbox of {} on {}: {} of {}, seq {}, was sent after one stored later", pulled->uid,
                  pulled->device, it->second->first->client_msg_id, sender, it->first);
          }
          answered = std::min(answered, it->second->accepted->answered);
        }
      }
    }
  }

  void pushes() {
    std::unordered_map<std::string, std::unordered_map<std::int64_t, std::int64_t>>
        ids;  // uid: seq to msg_id
    for (const auto& [uid, pulls] : pulls_) {
      for (const auto& row : pulls.front()->inbox) ids[uid][row.seq] = row.msg_id;
    }
    for (const auto& push : history_.pushes) {
      if (push.row.group_id != 0) continue;
      const std::string where = fmt::format("push to {} on {}", push.uid, push.device);
      if (stored(push.row, push.row.from, push.uid, where) == nullptr) continue;
      const auto& known = ids[push.uid];
      const auto it = known.find(push.row.seq);
      if (it == known.end() || it->second != push.row.msg_id) {
        found(Violation::kRegress, "{}: seq {} was {}, the inbox has {}", where, push.row.seq,
              push.row.msg_id, it == known.end() ? 0 : it->second);
      }
    }
  }

  // A login never says less than what was known before it was asked for.
  void heads() {
    std::map<std::string, std::vector<const Head*>> by_user;
    for (const auto& head : history_.heads) {
      if (head.group_id == 0) by_user[head.uid].push_back(&head);
    }
    for (auto& [uid, list] : by_user) {
      auto logins = list;
      std::erase_if(logins, [](const Head* head) { return !head->login; });
      std::ranges::sort(list, {}, &Head::at);
      std::ranges::sort(logins, {}, &Head::asked);
      std::size_t next = 0;
      std::int64_t known = 0;
      for (const Head* login : logins) {
        for (; next < list.size() && list[next]->at < login->asked; ++next)
          known = std::max(known, list[next]->inbox_seq);
        if (login->inbox_seq < known) {
          found(Violation::kRegress, "{} on {}: a login was told inbox_seq {} after {}", uid, login->device,
                login->inbox_seq, known);
        }
      }
    }
  }

  void told() {
    std::map<std::pair<std::string, std::string>, std::vector<const Head*>> by_device;
    for (const auto& head : history_.heads) {
      if (head.group_id == 0) by_device[{head.uid, head.device}].push_back(&head);
    }
    for (const auto& online : history_.online) {
      const auto pulls = pulls_.find(online.uid);
      if (pulls == pulls_.end()) continue;  // everything counts as lost
      auto& list = by_device[{online.uid, online.device}];
      std::ranges::sort(list, {}, &Head::at);
      std::map<std::int64_t, Micros> steps;  // inbox_seq to when it was first told
      for (const Head* head : list) {
        if (steps.empty() || head->inbox_seq > steps.rbegin()->first) steps[head->inbox_seq] = head->at;
      }
      for (const auto& [message, seq] : inboxes_.at(pulls->second.front())) {
        if (message->accepted == nullptr) continue;
        const Micros deadline =
            std::max({history_.healed, online.since, message->accepted->answered}) + kPushDeadline;
        const auto step = steps.lower_bound(seq);
        if (step != steps.end() && step->second <= deadline) continue;
        found(Violation::kNeverPushed, "{} on {}: did not hear of seq {}, {} of {}", online.uid,
              online.device, seq, message->first->client_msg_id, message->first->sender);
      }
    }
  }

  void followed() {
    std::unordered_map<std::uint64_t, std::int64_t> heard;  // by connection
    for (const auto& head : history_.heads) {
      if (head.group_id != 0) continue;
      auto& known = heard[head.connection];
      if (head.push && head.inbox_seq > known + 1) {
        found(Violation::kSkipped, "{} on {}: push of seq {} on a connection that had heard of {}", head.uid,
              head.device, head.inbox_seq, known);
      }
      known = std::max(known, head.inbox_seq);
    }
  }

  const History& history_;
  Verdict verdict_;
  std::map<Key, Attempts> messages_;
  std::map<std::string, std::vector<const Pulled*>> pulls_;
  Boxes inboxes_;
  Boxes outboxes_;
};

}  // namespace

Verdict judge(const History& history) {
  Verdict verdict = Judge(history).run();
  judge_groups(history, verdict);
  return verdict;
}

}  // namespace hongyan::checker
