// A row of a writer's batch, and what is known of it.
#pragma once

#include <cstdint>

#include "common/base/clock.h"
#include "logic/store/box_works.h"
#include "logic/store/mysql/batch/tail_cache.h"

namespace hongyan::logic {

// Owned by a batch, used by its writer's thread. The user's tails outlive it.
struct BatchRow {
  enum class State : std::uint8_t { kOpen, kNumbered, kDuplicate, kDone };
  // What must be read of a row before it is stored.
  enum class Unread : std::uint8_t {
    kNothing,
    kYes,      // whether it is there already; of TailsWork: cursors and groups
    kPerhaps,  // the same, and it may be there by this very work
  };

  BatchRow(WriterWorkPtr made, UserTails& of, SteadyTime now);

  [[nodiscard]] bool open() const noexcept { return state == State::kOpen || state == State::kNumbered; }
  void finish(StoreWork::Outcome outcome) noexcept;
  void refuse(const Error& error);
  // Its number is nothing any more, and what was read of it may have changed.
  void doubt() noexcept;

  WriterWorkPtr work;
  OutboxWork* outbox = nullptr;  // the work as what it is; the others are null
  InboxWork* inbox = nullptr;
  TailsWork* tails = nullptr;
  UserTails* user = nullptr;
  std::uint32_t first = 0;  // kDuplicate: the row that this one repeats
  State state = State::kOpen;
  Unread unread = Unread::kNothing;
};

}  // namespace hongyan::logic
