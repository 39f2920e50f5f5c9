// What is held of each large group.
#pragma once

#include <cstdint>
#include <map>

#include "client/cpp/types.h"

namespace hongyan::client {

// A large group's messages stand in the group alone, numbered by group_seq, and not in inboxes. So each such
// group has a held seq and the gap rule of its own: at or below it: known; the next one: taken; above: a
// hole, which a pull fills. Pages jump over what was never a message, or archived.
//
// A group of which nothing is held begins with the first row that a page brings: unasked, the server starts
// at the cursor of this device, which nobody but the server knows. Inbox takes such a row only once the inbox
// is held to its end, because what was said before the group was large stands there. A push alone begins
// nothing, because what comes before it may have been missed; a page without rows begins nothing either,
// because the page may have had no room.
//
// Pure; lives in Inbox, on its thread.
class LargeGroups {
 public:
  // What one PullReq lists at most, so that it fits into a body; of the others the server uses its own
  // cursor.
  static constexpr std::size_t kMostListed = 2'000;

  explicit LargeGroups(GroupSeqs held) : held_(std::move(held)) {}

  enum class Verdict : std::uint8_t {
    kNext,   // taken: deliver, acknowledge
    kKnown,  // acknowledge, discard
    kHole,   // pull
  };
  // seq: above 0.
  [[nodiscard]] Verdict on_push(std::int64_t group_id, std::int64_t seq);
  // A row of a page; true when it is new.
  [[nodiscard]] bool on_row(std::int64_t group_id, std::int64_t seq);
  // The server's end of a group, as an answer to a pull names it; 0: it does not. True: it is below what was
  // asked for, because the server lost something, and is what counts now.
  [[nodiscard]] bool on_head(std::int64_t group_id, std::int64_t head);

  // 0: nothing.
  [[nodiscard]] std::int64_t held(std::int64_t group_id) const;
  [[nodiscard]] const GroupSeqs& held() const noexcept { return held_; }

  // Puts the offsets into a pull, and forgets that anything moved.
  void list(PullReq& request);
  // Since list().
  [[nodiscard]] bool moved() const noexcept { return moved_; }

  // Something was pushed that is not held yet.
  [[nodiscard]] bool has_hole() const noexcept { return !seen_.empty(); }
  void forget_holes() { seen_.clear(); }

 private:
  void take(std::int64_t group_id, std::int64_t seq);

  GroupSeqs held_;
  GroupSeqs seen_;  // the highest pushed, where it is above what is held
  GroupSeqs asked_;
  bool moved_ = false;
};

}  // namespace hongyan::client
