#include "logic/user/user_groups.h"

namespace hongyan::logic {

void UserGroups::learn(const Membership& told) {
  const auto it = all_.try_emplace(told.group_id).first;
  UserGroup& group = it->second;
  if (group.is_member()) --memberships_;
  group.learn(told);
  if (group.is_member()) ++memberships_;
  if (group.large()) large_.insert(told.group_id);
  if (!group.is_over()) return;
  large_.erase(told.group_id);
  all_.erase(it);
}

const UserGroup* UserGroups::find(std::int64_t group_id) const noexcept {
  const auto it = all_.find(group_id);
  return it == all_.end() ? nullptr : &it->second;
}

UserGroup* UserGroups::find(std::int64_t group_id) noexcept {
  const auto it = all_.find(group_id);
  return it == all_.end() ? nullptr : &it->second;
}

}  // namespace hongyan::logic
