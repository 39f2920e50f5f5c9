#include "logic/group/config.h"

#include "common/config/schema.h"

namespace hongyan::logic {

void bind(config::Schema& schema, GroupConfig& group) {
  schema.section("group", "Groups and their limits.");
  schema
      .value(
          "group.large_threshold", group.large_threshold,
          "A group with more members keeps each message once, from then on; smaller ones have a row for each "
          "member.")
      .range(1, 1'000'000);
  schema.value("group.max_members", group.max_members, "Members of a group.").range(1, 1'000'000);
  schema.value("group.max_members_of_call", group.max_members_of_call, "Members named in one command.")
      .range(1, 10'000);
  schema
      .value("group.max_members_told", group.max_members_told,
             "Names that a member is told of those who joined or left by one command; of more, their number.")
      .range(1, 1000);
  schema.value("group.max_name_bytes", group.max_name_bytes, "Bytes of a group's name.").range(1, 256);
  schema
      .value("group.max_announcement_bytes", group.max_announcement_bytes, "Bytes of a group's announcement.")
      .range(0, 65'535);
  schema.value("group.max_mentions", group.max_mentions, "Users that one message mentions.").range(0, 400);
  schema
      .value("group.max_groups_of_user", group.max_groups_of_user,
             "Who is in as many groups creates no more of them, and no client adds it to one.")
      .range(1, 1'000'000);
  schema
      .value("group.members_in_memory", group.members_in_memory,
             "Members of groups that a slot thread remembers.")
      .range(1000, 1'000'000'000);
}

}  // namespace hongyan::logic
