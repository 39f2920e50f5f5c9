// Which rows of a batch say what an earlier one says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/msg_id.h"
#include "logic/store/mysql/batch/batch_row.h"

namespace hongyan::logic {

// Reused from batch to batch, by one thread.
class BatchDuplicates {
 public:
  // Makes kDuplicate of what repeats an earlier row of these.
  void find(std::span<BatchRow> rows);
  // Gives them the result of the row that they repeat, which has one.
  static void finish(std::span<BatchRow> rows);

 private:
  template <typename Id>
  using Key = std::pair<const UserTails*, Id>;
  struct Hash {
    template <typename Id>
    std::size_t operator()(const Key<Id>& key) const noexcept {
      return std::hash<Id>()(key.second) * 31 + std::hash<const void*>()(key.first);
    }
  };
  // The first row of that key: `row`, if there was none before.
  template <typename Rows, typename Id>
  [[nodiscard]] static std::uint32_t first_of(Rows& rows, const UserTails* user, Id id, std::uint32_t row) {
    return rows.try_emplace({user, id}, row).first->second;
  }

  std::unordered_map<Key<std::string_view>, std::uint32_t, Hash> outbox_;  // by client_msg_id
  std::unordered_map<Key<MsgId>, std::uint32_t, Hash> inbox_;
};

}  // namespace hongyan::logic
