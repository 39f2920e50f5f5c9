// Counts what must not happen, from what clients saw. Pure.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/checker/history.h"

namespace hongyan::checker {

enum class Violation : std::uint8_t {
  kLost,       // acknowledged, or stored on one side: absent from the receiver's inbox or the sender's outbox
  kGhost,      // never sent, or refused at every attempt: yet delivered
  kMisrouted,  // with a user it was not sent to, or who was not in the group when it took its place
  kDuplicate,  // a second row of the same sender, client_msg_id and receiver
  kChanged,    // other bytes than were sent
  kGap,        // an inbox or outbox does not count 1, 2, 3 …
  kRegress,    // a sequence went back, or a number that was told now means another message
  kInversion,  // sent after the answer to another to the same receiver, yet stored before it
  kNeverPushed,  // the receiver was online for kPushDeadline after healing and did not hear of it
  kUnstableId,   // a resend got another msg_id or outbox_seq, or the stored row has another
  kSkipped,      // a push did not follow what its connection had heard before (History::pushes_follow)
  kForked,       // two members saw different messages at one group_seq, one message at two, or another order
};
inline constexpr std::size_t kViolations = 12;
// "lost" and so on.
[[nodiscard]] std::string_view name_of(Violation violation) noexcept;

inline constexpr Micros kPushDeadline = 30'000'000;
inline constexpr std::size_t kMostFindings = 50;  // kept in words; all are counted

struct Finding {
  Violation violation;
  std::string text;  // for people: users, ids, sequences
};

struct Verdict {
  std::array<std::uint64_t, kViolations> counts = {};
  std::vector<Finding> findings = {};
  // Messages by the best answer to any of their attempts; unknown before refused.
  std::uint64_t acknowledged = 0;
  std::uint64_t unknown = 0;
  std::uint64_t refused = 0;
  std::uint64_t attempts = 0;
  std::uint64_t groups = 0;
  std::uint64_t large_groups = 0;  // of them: some of whose messages came by the group

  [[nodiscard]] std::uint64_t count(Violation violation) const noexcept {
    return counts[static_cast<std::size_t>(violation)];
  }
  template <typename... Args>
  void add(Violation violation, fmt::format_string<Args...> format, Args&&... args) {
    ++counts[static_cast<std::size_t>(violation)];
    if (findings.size() < kMostFindings)
      findings.push_back({violation, fmt::format(format, std::forward<Args>(args)...)});
  }
  [[nodiscard]] bool clean() const noexcept { return counts == std::array<std::uint64_t, kViolations>{}; }
};

// Each device's pull is judged by itself, so a message lost to a user with two devices counts twice. A user
// who sent or was sent something and has no pull lacks everything.
[[nodiscard]] Verdict judge(const History& history);

}  // namespace hongyan::checker
