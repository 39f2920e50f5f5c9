// What clients saw during a run: every attempt to send, everything they were told, and what each device
// pulled from the start at the end. Plain data; times are microseconds of one steady clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hongyan::checker {

using Micros = std::int64_t;

// Group of a row that does not say which.
inline constexpr std::int64_t kSomeGroup = -1;

// Stands for the bytes of a message.
struct Digest {
  std::uint64_t size = 0;
  std::uint64_t hash = 0;

  bool operator==(const Digest&) const = default;
};
[[nodiscard]] Digest digest_of(std::string_view bytes) noexcept;

enum class Outcome : std::uint8_t {
  kUnknown,  // no answer, DEADLINE_EXCEEDED or INTERNAL
  kOk,
  kRefused,  // any other error: this attempt took nothing
};

// One packet with a message, and its answer. Attempts with the same sender and client_msg_id are one message.
struct Attempt {
  std::string sender = {};
  std::string client_msg_id = {};
  std::string receiver = {};
  Digest content = {};
  Micros invoked = 0;
  Outcome outcome = Outcome::kUnknown;
  Micros answered = 0;  // 0: no answer came
  Micros hung_up = 0;   // when the connection ended before an answer; 0: it did not
  std::int64_t msg_id = 0;
  std::int64_t outbox_seq = 0;
  std::uint16_t port = 0;     // of the gate, or of the proxy before it
  Micros online_since = 0;    // when the sender's session began
  std::int64_t group_id = 0;  // to a group: no receiver
  bool change = false;        // of the group's members: content says nothing
};

// All attempts at one message.
struct Attempts {
  const Attempt* first = nullptr;
  const Attempt* accepted = nullptr;  // the first that was answered OK
  bool unknown = false;               // one of them

  void add(const Attempt& attempt) noexcept {
    if (first == nullptr || attempt.invoked < first->invoked) first = &attempt;
    if (attempt.outcome == Outcome::kUnknown) unknown = true;
    if (attempt.outcome != Outcome::kOk) return;
    if (accepted == nullptr || attempt.answered < accepted->answered) accepted = &attempt;
  }
  [[nodiscard]] bool refused() const noexcept { return accepted == nullptr && !unknown; }
};

// What a row tells of a group's members.
enum class GroupChange : std::uint8_t { kNone, kMade, kJoined, kLeft, kDissolved };

// A message of an inbox (seq in it, `to` empty), of an outbox, or of a large group (seq 0).
struct Row {
  std::int64_t seq = 0;
  std::int64_t msg_id = 0;
  std::string from = {};
  std::string to = {};
  std::string client_msg_id = {};
  Digest content = {};
  std::int64_t group_id = 0;
  std::int64_t group_seq = 0;
  GroupChange change = GroupChange::kNone;
  std::vector<std::string> members = {};  // whom it concerns, as far as they are told
  int concerned = 0;                      // how many they are
};

struct Push {
  std::string uid = {};
  std::string device = {};
  Micros at = 0;
  Row row = {};
};

// A device heard how far its user's inbox, or a large group, goes: from a login, a push, a SYNC_NOTIFY or a
// pull.
struct Head {
  std::string uid = {};
  std::string device = {};
  Micros asked = 0;  // of a login: when it was asked for; else as `at`
  Micros at = 0;
  std::int64_t inbox_seq = 0;
  bool login = false;
  bool push = false;          // inbox_seq is the pushed message's own
  std::int64_t group_id = 0;  // above 0: inbox_seq is a group_seq
  std::uint64_t connection = 0;
};

// A device that was online without a break from `since` to the end of the history.
struct Online {
  std::string uid = {};
  std::string device = {};
  Micros since = 0;
};

// What a device pulled from 0, in the order in which it came.
struct Pulled {
  std::string uid = {};
  std::string device = {};
  std::vector<Row> inbox = {};
  std::vector<Row> outbox = {};
  std::vector<Row> groups = {};  // rows of large groups
  bool fresh = false;  // the device class has never acknowledged anything: it gets large groups whole
};

// A server was struck.
struct Struck {
  std::string server = {};  // "gate-1"; "gates": all of them
  Micros begun = 0;
  Micros repairing = 0;  // its repair began: a start takes time, and the machine's
  Micros repaired = 0;
};

struct History {
  std::vector<Attempt> attempts = {};
  std::vector<Push> pushes = {};
  std::vector<Head> heads = {};
  std::vector<Online> online = {};
  std::vector<Pulled> pulled = {};
  std::vector<Struck> strikes = {};
  Micros calm_since = 0;  // traffic without faults, until `faults_since`
  Micros faults_since = 0;
  Micros healed = 0;  // when the last fault was repaired
  Micros ended = 0;   // when attempts were last looked at
  // Nothing happened that may keep a push from a connection that lives.
  bool pushes_follow = false;
};

}  // namespace hongyan::checker
