// Which rows of a batch say what an earlier one says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/msg_id.h"

namespace hongyan::logic {

struct UserTails;

// Reused from batch to batch, by one thread. What it is given stays where it is until clear().
class BatchDuplicates {
 public:
  void clear() noexcept {
    outbox_.clear();
    inbox_.clear();
  }
  // The first row of that key: `row`, if there was none before.
  [[nodiscard]] std::uint32_t first_of(const UserTails* user, std::string_view client_msg_id,
                                       std::uint32_t row) {
    return outbox_.try_emplace({user, client_msg_id}, row).first->second;
  }
  [[nodiscard]] std::uint32_t first_of(const UserTails* user, MsgId id, std::uint32_t row) {
    return inbox_.try_emplace({user, id}, row).first->second;
  }

 private:
  template <typename Id>
  using Key = std::pair<const UserTails*, Id>;
  struct Hash {
    template <typename Id>
    std::size_t operator()(const Key<Id>& key) const noexcept {
      return std::hash<Id>()(key.second) * 31 + std::hash<const void*>()(key.first);
    }
  };
  std::unordered_map<Key<std::string_view>, std::uint32_t, Hash> outbox_;
  std::unordered_map<Key<MsgId>, std::uint32_t, Hash> inbox_;
};

}  // namespace hongyan::logic
