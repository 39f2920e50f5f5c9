#include "logic/group/rules.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

GroupState of_three() {
  GroupState group;
  group.exists = true;
  group.info.owner = "olga";
  group.info.name = "three";
  group.head = 1;
  group.members = {{"olga", 1}, {"mike", 1}, {"mona", 1}};
  return group;
}

GroupCommand command(client::CtrlType type, std::string actor, std::vector<std::string> members = {}) {
  GroupCommand made;
  made.type = type;
  made.actor = std::move(actor);
  made.op.set_name("name");
  made.op.set_owner("mike");
  for (auto& uid : members) made.op.add_members(std::move(uid));
  return made;
}

struct RightRow {
  client::CtrlType type;
  Code stranger, member, owner;
};

// Every change by a stranger, a member and the owner.
TEST(GroupRulesTest, RightsByTheTable) {
  constexpr Code kNo = Code::kPermissionDenied;
  const GroupConfig config;
  for (const auto& row : {RightRow{client::CTRL_TYPE_ADD_MEMBERS, kNo, Code::kOk, Code::kOk},
                          RightRow{client::CTRL_TYPE_EXIT_GROUP, kNo, Code::kOk, Code::kFailedPrecondition},
                          RightRow{client::CTRL_TYPE_DELETE_GROUP, kNo, kNo, Code::kOk},
                          RightRow{client::CTRL_TYPE_MODIFY_ANNOUNCEMENT, kNo, kNo, Code::kOk},
                          RightRow{client::CTRL_TYPE_REMOVE_MEMBERS, kNo, kNo, Code::kNotFound},
                          RightRow{client::CTRL_TYPE_TRANSFER_OWNER, kNo, kNo, Code::kOk},
                          RightRow{client::CTRL_TYPE_RENAME, kNo, kNo, Code::kOk}}) {
    const auto code = [&](const std::string& actor) {
      const auto change = decide(of_three(), command(row.type, actor, {"nina"}), config);
      return change ? Code::kOk : change.error().code;
    };
    EXPECT_EQ(code("sam"), row.stranger) << row.type;
    EXPECT_EQ(code("mike"), row.member) << row.type;
    EXPECT_EQ(code("olga"), row.owner) << row.type;
  }
  EXPECT_EQ(may_read(of_three(), "sam", false).error().code, kNo);
  EXPECT_TRUE(may_read(of_three(), "mike", false));
  EXPECT_TRUE(may_read(of_three(), "", true));
}

TEST(GroupRulesTest, AGroupThatIsNotThereIsNobodys) {
  const auto rename = command(client::CTRL_TYPE_RENAME, "sam");
  EXPECT_EQ(decide({}, rename, {}).error().code, Code::kPermissionDenied);
  auto service = rename;
  service.service = true;
  EXPECT_EQ(decide({}, service, {}).error().code, Code::kNotFound);
}

TEST(GroupRulesTest, NothingIsDoneToADissolvedGroup) {
  GroupState group = of_three();
  group.info.dissolved_seq = 1;
  EXPECT_EQ(decide(group, command(client::CTRL_TYPE_ADD_MEMBERS, "olga", {"nina"}), {}).error().code,
            Code::kFailedPrecondition);
  // Who had no part in it does not learn that there was one.
  EXPECT_EQ(may_read(group, "sam", false).error().code, Code::kPermissionDenied);
  EXPECT_EQ(may_read(group, "", true).error().code, Code::kFailedPrecondition);
}

TEST(GroupRulesTest, CreatorAndMembersOnceEach) {
  auto made = command(client::CTRL_TYPE_CREATE_GROUP, "olga", {"mona", "mona", "olga"});
  made.op.clear_owner();
  auto change = decide({}, made, {});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->joined, (std::vector<std::string>{"mona", "olga"}));
  EXPECT_EQ(change->info.owner, "olga");
  EXPECT_EQ(change->info.create_user, "olga");
  EXPECT_EQ(change->told.members_size(), 2);
  made.op.set_owner("olga");
  EXPECT_TRUE(decide({}, made, {}));
}

TEST(GroupRulesTest, OnlyServicesMakeSomebodyElseTheOwner) {
  auto made = command(client::CTRL_TYPE_CREATE_GROUP, "olga", {"mona"});  // for mike
  EXPECT_EQ(decide({}, made, {}).error().code, Code::kPermissionDenied);
  EXPECT_EQ(check_command(made, {}).error().code, Code::kPermissionDenied);
  made.service = true;
  EXPECT_TRUE(check_command(made, {}));
  const auto change = decide({}, made, {});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->info.owner, "mike");
  EXPECT_EQ(change->joined, (std::vector<std::string>{"mike", "mona"}));
}

TEST(GroupRulesTest, WhereOnlyTheOwnerInvitesMembersDoNot) {
  auto add = command(client::CTRL_TYPE_ADD_MEMBERS, "mike", {"nina"});
  EXPECT_TRUE(decide(of_three(), add, {}));
  add.invite = Invite::kOwner;
  EXPECT_EQ(decide(of_three(), add, {}).error().code, Code::kPermissionDenied);
  add.actor = "olga";
  EXPECT_TRUE(decide(of_three(), add, {}));
  add.actor = "hr";
  add.service = true;
  EXPECT_TRUE(decide(of_three(), add, {}));
  // Leaving is everybody's own affair.
  auto exit = command(client::CTRL_TYPE_EXIT_GROUP, "mike");
  exit.invite = Invite::kOwner;
  EXPECT_TRUE(decide(of_three(), exit, {}));
}

TEST(GroupRulesTest, OfManyTheFirstNamesAreToldAndHowManyThereAre) {
  GroupConfig config;
  config.max_members_told = 2;
  auto change = decide(of_three(), command(client::CTRL_TYPE_ADD_MEMBERS, "mike", {"a", "b"}), config);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->told.members_size(), 2);
  EXPECT_EQ(change->told.member_count(), 0);
  change = decide(of_three(), command(client::CTRL_TYPE_ADD_MEMBERS, "mike", {"a", "b", "c"}), config);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->joined.size(), 3U);
  ASSERT_EQ(change->told.members_size(), 2);
  EXPECT_EQ(change->told.members(0), "a");
  EXPECT_EQ(change->told.members(1), "b");
  EXPECT_EQ(change->told.member_count(), 3);
  EXPECT_EQ(result_of(*change, of_three(), 70).members_size(), 3);
  const auto mine = told_to(change->told, "c");
  ASSERT_EQ(mine.members_size(), 1);
  EXPECT_EQ(mine.members(0), "c");
  EXPECT_EQ(mine.member_count(), 3);
  change = decide(of_three(), command(client::CTRL_TYPE_REMOVE_MEMBERS, "olga", {"mike", "mona"}), config);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->told.members_size(), 2);
}

TEST(GroupRulesTest, WhoIsAMemberIsNotAddedAgain) {
  const auto change =
      decide(of_three(), command(client::CTRL_TYPE_ADD_MEMBERS, "mike", {"mona", "nina"}), {});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->joined, std::vector<std::string>{"nina"});
  EXPECT_EQ(decide(of_three(), command(client::CTRL_TYPE_ADD_MEMBERS, "mike", {"mona"}), {}).error().code,
            Code::kAlreadyExists);
}

GroupCommand asking(client::CtrlType type, std::string actor, std::vector<std::string> members = {}) {
  GroupCommand made = command(type, std::move(actor), std::move(members));
  made.op.clear_owner();
  made.invite = Invite::kConsent;
  return made;
}

TEST(GroupRulesTest, WhereWhoIsAddedIsAskedNobodyIsInTheGroupBeforeHeJoins) {
  auto made = decide({}, asking(client::CTRL_TYPE_CREATE_GROUP, "olga", {"mona", "olga"}), {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->joined, std::vector<std::string>{"olga"});
  EXPECT_EQ(made->invited, std::vector<std::string>{"mona"});
  EXPECT_EQ(made->told_type, client::CTRL_TYPE_CREATE_GROUP);
  ASSERT_EQ(made->told.members_size(), 1);
  EXPECT_EQ(made->told.members(0), "olga");

  GroupState group = of_three();
  auto change = decide(group, asking(client::CTRL_TYPE_ADD_MEMBERS, "mike", {"mona", "nina"}), {});
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->joined.empty());
  EXPECT_EQ(change->invited, std::vector<std::string>{"nina"});
  EXPECT_EQ(change->told_type, client::CTRL_TYPE_INVITE_MEMBERS);
  EXPECT_EQ(change->told.members(0), "nina");
  EXPECT_EQ(result_of(*change, group, 70).group().member_count(), 3);
  join(group, *change, 2);
  EXPECT_FALSE(group.members.contains("nina"));
  EXPECT_TRUE(group.invited.contains("nina"));
  // Once is enough.
  EXPECT_EQ(decide(group, asking(client::CTRL_TYPE_ADD_MEMBERS, "olga", {"nina"}), {}).error().code,
            Code::kAlreadyExists);

  EXPECT_EQ(decide(group, asking(client::CTRL_TYPE_JOIN_GROUP, "sam"), {}).error().code,
            Code::kPermissionDenied);
  EXPECT_EQ(decide(group, asking(client::CTRL_TYPE_JOIN_GROUP, "mona"), {}).error().code,
            Code::kAlreadyExists);
  change = decide(group, asking(client::CTRL_TYPE_JOIN_GROUP, "nina"), {});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->joined, std::vector<std::string>{"nina"});
  EXPECT_EQ(change->told_type, client::CTRL_TYPE_JOIN_GROUP);
  join(group, *change, 3);
  EXPECT_EQ(group.members.at("nina"), 3);
  EXPECT_TRUE(group.invited.empty());
}

TEST(GroupRulesTest, AnInvitationEndsWithTheGroupOrAWord) {
  GroupState group = of_three();
  group.invited = {{"nina", 1}, {"otto", 1}};
  auto change = decide(group, asking(client::CTRL_TYPE_REMOVE_MEMBERS, "olga", {"nina"}), {});
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->left.empty());
  join(group, *change, 2);
  EXPECT_FALSE(group.invited.contains("nina"));
  // A service asks nobody.
  auto add = asking(client::CTRL_TYPE_ADD_MEMBERS, "hr", {"otto"});
  add.service = true;
  change = decide(group, add, {});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->joined, std::vector<std::string>{"otto"});
  join(group, *change, 3);
  EXPECT_TRUE(group.invited.empty());
  group.invited = {{"nina", 1}};
  change = decide(group, asking(client::CTRL_TYPE_DELETE_GROUP, "olga"), {});
  ASSERT_TRUE(change);
  join(group, *change, 4);
  leave(group, *change);
  EXPECT_TRUE(group.invited.empty());
  EXPECT_EQ(decide(group, asking(client::CTRL_TYPE_JOIN_GROUP, "nina"), {}).error().code,
            Code::kPermissionDenied);
}

TEST(GroupRulesTest, InvitationsCountAsMembersWhenThereAreMany) {
  GroupConfig config;
  config.max_members = 5;
  GroupState group = of_three();
  group.invited = {{"nina", 1}};
  EXPECT_EQ(decide(group, asking(client::CTRL_TYPE_ADD_MEMBERS, "olga", {"a", "b"}), config).error().code,
            Code::kTooLarge);
  EXPECT_TRUE(decide(group, asking(client::CTRL_TYPE_ADD_MEMBERS, "olga", {"a"}), config));
}

TEST(GroupRulesTest, TheOwnerCannotBeRemovedAndTransfersToMembersOnly) {
  EXPECT_EQ(decide(of_three(), command(client::CTRL_TYPE_REMOVE_MEMBERS, "olga", {"olga"}), {}).error().code,
            Code::kFailedPrecondition);
  auto transfer = command(client::CTRL_TYPE_TRANSFER_OWNER, "olga");
  transfer.op.set_owner("sam");
  EXPECT_EQ(decide(of_three(), transfer, {}).error().code, Code::kNotFound);
}

TEST(GroupRulesTest, BeyondTheThresholdItIsLargeFromTheNextMessageOn) {
  GroupConfig config;
  config.large_threshold = 3;
  config.max_members = 5;
  auto change = decide(of_three(), command(client::CTRL_TYPE_ADD_MEMBERS, "mike", {"nina"}), config);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->info.large_from_seq, 3);
  GroupState group = of_three();
  group.info = change->info;
  EXPECT_FALSE(group.large_at(2));
  EXPECT_TRUE(group.large_at(3));
  EXPECT_EQ(
      decide(group, command(client::CTRL_TYPE_ADD_MEMBERS, "mike", {"a", "b", "c"}), config).error().code,
      Code::kTooLarge);
}

TEST(GroupRulesTest, SizesAreRefusedBeforeAnythingIsStored) {
  const GroupConfig config;
  const auto code = [&config](client::CtrlType type, const client::GroupOp& op) {
    const auto ok = check_command({.type = type, .actor = "olga", .op = op}, config);
    return ok ? Code::kOk : ok.error().code;
  };
  client::GroupOp op;
  EXPECT_EQ(code(client::CTRL_TYPE_CREATE_GROUP, op), Code::kBadRequest);
  op.set_name(std::string(64 << 10, 'n'));
  EXPECT_EQ(code(client::CTRL_TYPE_CREATE_GROUP, op), Code::kTooLarge);
  op.set_name("n");
  EXPECT_EQ(code(client::CTRL_TYPE_CREATE_GROUP, op), Code::kOk);
  EXPECT_EQ(code(client::CTRL_TYPE_ADD_MEMBERS, op), Code::kBadRequest);
  for (int i = 0; i < 1000; ++i) op.add_members("u" + std::to_string(i));
  EXPECT_EQ(code(client::CTRL_TYPE_ADD_MEMBERS, op), Code::kOk);
  op.add_members("one more");
  EXPECT_EQ(code(client::CTRL_TYPE_ADD_MEMBERS, op), Code::kBadRequest);
  op.clear_members();
  op.add_members(std::string("a\0b", 3));
  EXPECT_EQ(code(client::CTRL_TYPE_ADD_MEMBERS, op), Code::kBadRequest);
  EXPECT_EQ(code(static_cast<client::CtrlType>(99), client::GroupOp()), Code::kBadRequest);
}

TEST(GroupRulesTest, BetweenItsStepsAChangeHasWhoJoinsAndWhoLeaves) {
  GroupState group = of_three();
  GroupChange change;
  change.info = group.info;
  change.info.name = "renamed";
  change.joined = {"nina"};
  change.left = {"mike"};
  const auto result = result_of(change, group, 70);
  join(group, change, 2);
  EXPECT_EQ(group.info.name, "renamed");
  EXPECT_EQ(group.members.at("nina"), 2);
  EXPECT_TRUE(group.members.contains("mike"));
  leave(group, change);
  EXPECT_FALSE(group.members.contains("mike"));
  EXPECT_EQ(result.group().group_id(), 70);
  EXPECT_EQ(result.group().name(), "renamed");
  EXPECT_EQ(result.group().member_count(), static_cast<std::int32_t>(group.members.size()));
  ASSERT_EQ(result.members_size(), 2);
  EXPECT_EQ(result.members(0), "nina");
  EXPECT_EQ(result.members(1), "mike");
}

TEST(GroupRulesTest, OfADissolvedGroupNobodyIsLeft) {
  GroupState group = of_three();
  GroupChange change;
  change.info = group.info;
  change.info.dissolved_seq = 2;
  change.all_left = true;
  EXPECT_EQ(result_of(change, group, 70).group().member_count(), 0);
  join(group, change, 2);
  EXPECT_EQ(group.members.size(), 3U);
  leave(group, change);
  EXPECT_TRUE(group.members.empty());
  EXPECT_TRUE(group.dissolved());
}

}  // namespace
}  // namespace hongyan::logic
