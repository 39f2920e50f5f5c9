// How often a batch, and a row of it alone, is tried. Pure.
#pragma once

#include <cstdint>

#include "logic/store/mysql/connection/db_error.h"

namespace hongyan::logic {

// Counts what failed of one batch. One thread.
class BatchAttempts {
 public:
  enum class Next : std::uint8_t {
    kAgain,
    kAlone,   // its rows one by one, so that the one with which it cannot be stored is found
    kGiveUp,  // the error is of all
  };

  // After an error of a write that is surely not stored.
  [[nodiscard]] Next after(DbFault fault) noexcept;
  // Whether to pause before the next attempt: not the first time.
  [[nodiscard]] bool wants_pause(DbFault fault) noexcept;
  // A row failed alone: whether the rest would, too.
  [[nodiscard]] bool is_of_all(DbFault fault) noexcept;
  // From here on other rows are tried.
  void other_rows() noexcept { conflicts_ = duplicates_ = losses_ = 0; }

 private:
  static constexpr unsigned kMaxConflicts = 5;
  static constexpr unsigned kMaxDuplicates = 4;
  static constexpr unsigned kMaxLosses = 3;
  static constexpr unsigned kMaxRowsFailed = 3;

  unsigned failed_ = 0;
  unsigned rows_failed_ = 0;
  unsigned conflicts_ = 0;
  unsigned duplicates_ = 0;
  unsigned losses_ = 0;
};

}  // namespace hongyan::logic
