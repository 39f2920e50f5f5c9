// What must be read before rows are stored: tails of users not met before, cursors, and what is there already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/clock.h"
#include "logic/store/box_works.h"
#include "logic/store/mysql/batch/batch_row.h"
#include "logic/store/mysql/batch/tail_cache.h"

namespace hongyan::logic {

// Reused from batch to batch, by its writer's thread. The cache outlives it; rows stay where they are while it
// is used for them.
class BatchReads {
 public:
  explicit BatchReads(TailCache& tails) : tails_(tails) {}

  // Each collects what it is to read of these rows; false: nothing.
  [[nodiscard]] bool need_tails(std::span<BatchRow> rows);
  [[nodiscard]] bool need_cursors(std::span<BatchRow> rows);
  [[nodiscard]] bool need_lookup(std::span<BatchRow> rows);

  [[nodiscard]] std::span<const UserKey* const> unknown_users() const noexcept { return unknown_keys_; }
  [[nodiscard]] std::span<TailsWork* const> cursor_works() const noexcept { return asking_works_; }
  [[nodiscard]] std::span<OutboxWork* const> lookup_outbox() const noexcept { return outbox_works_; }
  [[nodiscard]] std::span<InboxWork* const> lookup_inbox() const noexcept { return inbox_works_; }

  // What was read, by index in those.
  void set_tails(std::size_t unknown_index, std::int64_t inbox, std::int64_t outbox) noexcept;
  // row: without its contents.
  void found_outbox(std::size_t lookup_index, const StoredMessage& row, SteadyTime now);
  void found_inbox(std::size_t lookup_index, std::int64_t seq) noexcept;
  // All of it.
  void cursors_loaded() noexcept;
  void looked_up() noexcept;

 private:
  TailCache& tails_;
  std::uint64_t loads_ = 0;
  // Of each read: whom or what it asks for, and the same as statements take it.
  std::vector<UserTails*> unknown_;
  std::vector<const UserKey*> unknown_keys_;
  std::vector<BatchRow*> asking_;
  std::vector<TailsWork*> asking_works_;
  std::vector<BatchRow*> outbox_;
  std::vector<OutboxWork*> outbox_works_;
  std::vector<BatchRow*> inbox_;
  std::vector<InboxWork*> inbox_works_;
};

}  // namespace hongyan::logic
