// All groups of a user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

#include "logic/user/user_group.h"

namespace hongyan::logic {

// By group_id, ascending. What is asked often is counted or listed apart, so that nobody has to walk them all. A
// group that the user has left and that holds nothing to read is forgotten.
class UserGroups {
 public:
  using All = std::map<std::int64_t, UserGroup>;

  // A stay of the user's, or how it changed.
  void learn(const Membership& told);
  // Null: there is none, as far as is known. What learn() forgets is gone.
  [[nodiscard]] UserGroup* find(std::int64_t group_id) noexcept;
  [[nodiscard]] const UserGroup* find(std::int64_t group_id) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  // Those in which the user is a member.
  [[nodiscard]] std::size_t memberships() const noexcept { return memberships_; }
  // Ids of those that are large; the user may have left them.
  [[nodiscard]] const std::set<std::int64_t>& large() const noexcept { return large_; }
  [[nodiscard]] auto begin() const noexcept { return all_.begin(); }
  [[nodiscard]] auto end() const noexcept { return all_.end(); }

 private:
  All all_;
  std::size_t memberships_ = 0;
  std::set<std::int64_t> large_;
};

}  // namespace hongyan::logic
