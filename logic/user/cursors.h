// What devices acknowledged, and its way into the database.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// The cursors of one slot thread's users. They move in memory; what changed is written every
// config.cursor_flush, to each shard in batches of at most kBatch, one at a time. A batch that fails is
// written again with the next flush. Lost cursors (kill -9) cost a repeated pull and nothing else.
//
// A user whose cursors are not written stays in memory. One thread.
class Cursors {
 public:
  static constexpr std::size_t kBatch = 2048;

  explicit Cursors(ThreadContext& context);

  // The devices of the class hold the box up to seq. False: backwards or beyond the tail, and ignored. While
  // the tail is not known the cursor stays: who acknowledges more later makes up for it.
  [[nodiscard]] bool acked(User& user, DeviceClass device_class, CursorKind kind, std::int64_t seq);
  // The same for a large group. head: empty when it is not known.
  [[nodiscard]] bool acked_group(User& user, UserGroup& group, DeviceClass device_class, std::int64_t seq,
                                 std::optional<std::int64_t> head);
  // As last written, read together with the tails.
  void loaded(User& user, std::span<const DeviceCursor> cursors);

  // The user's slot leaves: what is not written yet is, once more, with those of the same shard; a failure costs a
  // repeated pull.
  void leave(User& user, Upkeep& upkeep);

  // Writes what is due.
  void tick();
  // Writes all now. done: nothing is left, or a shard did not take it.
  void flush(std::function<void()> done);

  // Users with cursors that are not written.
  [[nodiscard]] std::size_t changed() const;

 private:
  struct OfShard {
    std::deque<User*> changed;  // by their first change since they were written
    struct Written {
      User* user;
      std::uint16_t cursors;
      std::vector<std::pair<std::int64_t, std::uint8_t>> groups;
    };
    std::vector<Written> in_flight;  // being written, and which of their cursors
    SteadyTime last_flush{};
    bool more = false;  // goes on with the next batch
  };

  void mark(User& user);
  static void collect(User& user, Upkeep& upkeep, OfShard::Written& written);
  void write(std::size_t shard);
  void written(std::size_t shard, bool committed);
  void finish();

  ThreadContext& context_;
  std::vector<OfShard> shards_;
  std::function<void()> done_;  // of flush()
};

}  // namespace hongyan::logic
