#include "logic/store/mysql/batch/batch_attempts.h"

namespace hongyan::logic {

BatchAttempts::Next BatchAttempts::after(DbFault fault) noexcept {
  switch (fault) {
    case DbFault::kLost:
      return ++losses_ > kMaxLosses ? Next::kAlone : Next::kAgain;
    case DbFault::kDuplicate:
      return ++duplicates_ > kMaxDuplicates ? Next::kAlone : Next::kAgain;
    case DbFault::kConflict:
      return ++conflicts_ > kMaxConflicts ? Next::kGiveUp : Next::kAgain;
    case DbFault::kPermanent:
    case DbFault::kOther:
      return Next::kAlone;
    case DbFault::kDoubtful:
    case DbFault::kUnable:
      return Next::kGiveUp;
  }
  return Next::kGiveUp;
}

bool BatchAttempts::wants_pause(DbFault fault) noexcept {
  const bool again = fault == DbFault::kLost || fault == DbFault::kConflict;
  return again && ++failed_ > 1;
}

bool BatchAttempts::is_of_all(DbFault fault) noexcept {
  const bool of_the_row = fault == DbFault::kPermanent || fault == DbFault::kDuplicate;
  return !of_the_row && ++rows_failed_ >= kMaxRowsFailed;
}

}  // namespace hongyan::logic
