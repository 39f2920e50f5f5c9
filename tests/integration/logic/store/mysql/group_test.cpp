#include <fmt/format.h>

#include <atomic>
#include <future>
#include <memory>

#include "common/base/slot.h"
#include "logic/store/mysql/schema/shard_check.h"
#include "logic/store/mysql/sql/groups.h"
#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using logic::GroupWork;
using logic::StoreWork;
using Outcome = StoreWork::Outcome;

class GroupStoreTest : public StoreTest {
 protected:
  static constexpr std::int64_t kGroup = 4711;

  static std::unique_ptr<GroupWork> work(GroupWork::Op op, std::int64_t group_id = kGroup) {
    auto made = std::make_unique<GroupWork>(op);
    made->user.app_id = "app";
    made->group_id = group_id;
    made->slot = slot_of("app", std::to_string(group_id));
    return made;
  }
  static logic::GroupRow row(std::int64_t seq, std::string content = "hi") {
    logic::GroupRow made;
    made.message = {.id = 1000 + seq,
                    .from = "alice",
                    .client_msg_id = "c" + std::to_string(seq),
                    .content = logic::share(std::move(content)),
                    .group_seq = seq,
                    .sent_ms = 5,
                    .command = 40};
    made.placed_id = 2000 + seq;
    return made;
  }
  static std::unique_ptr<GroupWork> creation(std::vector<std::string> members,
                                             std::int64_t group_id = kGroup) {
    auto made = work(GroupWork::Op::kStore, group_id);
    made->rows.push_back(row(1));
    made->rows[0].message.command = 60;
    made->info = logic::GroupInfo{.name =
                                      "Gr\xc3\xbc\xc3\x9f"
                                      "e \xf0\x9f\x98\x80 ' \\",
                                  .announcement = "",
                                  .owner = std::string("o'\xff", 3),
                                  .create_user = "alice",
                                  .create_time = 7};
    made->joined = std::move(members);
    made->answer = logic::CtrlOutcome{.msg_id = 1001, .error = {Code::kOk, ""}, .result = "result"};
    return made;
  }
  GroupWork& run(Node& node, std::unique_ptr<GroupWork> one) {
    node.shard->submit(std::move(one));
    EXPECT_TRUE(node.sink.wait_for(++done_));
    return node.sink.group(done_ - 1);
  }

  std::size_t done_ = 0;
};

TEST_F(GroupStoreTest, WhatIsStoredIsLoaded) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  EXPECT_FALSE(run(node, work(GroupWork::Op::kLoad)).found);
  EXPECT_EQ(run(node, creation({"alice", "bob", "Bob"})).outcome, Outcome::kStored);
  auto leaving = work(GroupWork::Op::kStore);
  leaving->rows.push_back(row(2));
  leaving->left = {"bob"};
  leaving->info = node.sink.group(done_ - 1).info;
  leaving->info->large_from_seq = 3;
  leaving->answer = logic::CtrlOutcome{.msg_id = 1002, .error = {Code::kOk, ""}, .result = ""};
  EXPECT_EQ(run(node, std::move(leaving)).outcome, Outcome::kStored);

  const GroupWork& now = run(node, work(GroupWork::Op::kLoad));
  EXPECT_TRUE(now.found);
  EXPECT_EQ(now.head, 2);
  EXPECT_EQ(now.info->name,
            "Gr\xc3\xbc\xc3\x9f"
            "e \xf0\x9f\x98\x80 ' \\");
  EXPECT_EQ(now.info->owner, std::string("o'\xff", 3));
  EXPECT_EQ(now.info->large_from_seq, 3);
  ASSERT_EQ(now.members.size(), 2U);
  EXPECT_EQ(now.members[0].uid, "Bob");
  EXPECT_EQ(now.members[1].joined_seq, 1);
  auto before = work(GroupWork::Op::kLoad);
  before->left_since = 2;
  EXPECT_EQ(run(node, std::move(before)).members.size(), 3U);
  auto above = work(GroupWork::Op::kLoad);
  above->rows_after = 1;
  const GroupWork& found = run(node, std::move(above));
  ASSERT_EQ(found.rows.size(), 1U);
  EXPECT_EQ(found.rows[0].message.group_seq, 2);
  EXPECT_EQ(found.rows[0].placed_id, 2002);
}

TEST_F(GroupStoreTest, MessagesOfManyGroupsGoInFewStatements) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  const auto inserts = [&] {
    return number(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'COM_INSERT'");
  };
  const auto before = inserts();
  for (std::int64_t group = 1; group <= 500; ++group) {
    auto message = work(GroupWork::Op::kStore, group);
    message->rows = {row(1), row(2)};
    node.shard->submit(std::move(message));
  }
  done_ += 500;
  ASSERT_TRUE(node.sink.wait_for(done_));
  for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(node.sink.group(i).outcome, Outcome::kStored);
  EXPECT_LT(inserts() - before, 100);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_group_message"), 1000);
}

TEST_F(GroupStoreTest, AMessageThatIsThereIsFoundAndSpoilsNobodyElses) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  auto first = work(GroupWork::Op::kStore);
  first->rows = {row(1)};
  run(node, std::move(first));
  auto again = work(GroupWork::Op::kStore);
  again->rows = {row(2)};
  again->rows[0].message.id = 1001;
  auto other = work(GroupWork::Op::kStore, 99);
  other->rows = {row(1)};
  node.shard->submit(std::move(again));
  node.shard->submit(std::move(other));
  ASSERT_TRUE(node.sink.wait_for(done_ += 2));
  for (std::size_t i = 1; i < 3; ++i) {
    const GroupWork& one = node.sink.group(i);
    EXPECT_EQ(one.outcome, one.group_id == 99 ? Outcome::kStored : Outcome::kRefused);
    if (one.group_id == kGroup) EXPECT_EQ(one.error.code, Code::kAlreadyExists);
  }
  auto find = work(GroupWork::Op::kFind);
  find->ids = {1001, 1002};
  EXPECT_EQ(run(node, std::move(find)).placed, std::vector<MsgId>{1001});
}

TEST_F(GroupStoreTest, RefusalsOfCommandsAreKept) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  auto refusal = work(GroupWork::Op::kStore);
  refusal->answer =
      logic::CtrlOutcome{.msg_id = 55, .error = {Code::kPermissionDenied, "not yours"}, .result = ""};
  EXPECT_EQ(run(node, std::move(refusal)).outcome, Outcome::kStored);
  auto find = work(GroupWork::Op::kFind);
  find->ids = {55};
  const GroupWork& found = run(node, std::move(find));
  ASSERT_EQ(found.outcomes.size(), 1U);
  EXPECT_EQ(found.outcomes[0].error.code, Code::kPermissionDenied);
  EXPECT_EQ(found.outcomes[0].error.message, "not yours");
  EXPECT_TRUE(found.placed.empty());
}

// The connection breaks around a commit, of plain messages and of a command: stored once, whatever happened.
TEST_F(GroupStoreTest, UnknownOutcomesAreSettled) {
  for (const auto fault : {logic::CommitFault::kCutBefore, logic::CommitFault::kCutAfter}) {
    std::atomic<int> faults{2};
    logic::WriteHooks hooks;
    hooks.commit_fault = [&faults, fault] {
      return faults.fetch_sub(1) > 0 ? fault : logic::CommitFault::kNone;
    };
    Node node(config_, 1, 100, hooks);
    ASSERT_TRUE(node.start());
    done_ = 0;
    const std::int64_t group = fault == logic::CommitFault::kCutBefore ? 1 : 2;
    EXPECT_EQ(run(node, creation({"alice", "bob"}, group)).outcome, Outcome::kStored);
    auto message = work(GroupWork::Op::kStore, group);
    message->rows = {row(2)};
    EXPECT_EQ(run(node, std::move(message)).outcome, Outcome::kStored);
    EXPECT_EQ(number(fmt::format("SELECT COUNT(*) FROM im_group_message WHERE group_id = {}", group)), 2);
    EXPECT_EQ(number(fmt::format("SELECT COUNT(*) FROM im_group_users WHERE group_id = {}", group)), 2);
  }
}

// As WriterFaultsTest has it of other rows.
TEST_F(GroupStoreTest, WhatIsReadAfterTheBarrierIsRefused) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  run(node, creation({"alice", "bob"}));
  const logic::MysqlThread thread;
  auto connection = logic::MysqlConnection::open(logic::endpoint_of(config_));
  ASSERT_TRUE(connection);
  const auto epoch = static_cast<std::uint64_t>(number("SELECT epoch FROM im_node WHERE node = 1"));
  ASSERT_TRUE(logic::pass_barrier(**connection, 1, epoch));
  auto late = work(GroupWork::Op::kStore);
  late->rows = {row(2)};
  GroupWork* one = late.get();
  const auto fence =
      logic::insert_group_rows(**connection, std::span(&one, 1), {.node = 1, .epoch = epoch, .barrier = 0});
  ASSERT_TRUE(fence);
  EXPECT_EQ(*fence, logic::Fence::kRefused);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_group_message"), 1);
  // The writer, which knows of no barrier yet, goes on.
  EXPECT_EQ(run(node, std::move(late)).outcome, Outcome::kStored);
}

TEST_F(GroupStoreTest, TheInboxRowCarriesTheMembership) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  const auto told = [&](MsgId id, std::int64_t seq, std::int64_t joined, std::int64_t left) {
    auto one = inbox("bob", id, "told");
    one->membership = logic::Membership{
        .group_id = kGroup, .changed_seq = seq, .joined_seq = joined, .left_seq = left, .large_from_seq = 1};
    node.shard->submit(std::move(one));
    return node.sink.wait_for(++done_);
  };
  ASSERT_TRUE(told(1, 3, 3, 0));
  ASSERT_TRUE(told(2, 9, 9, 0));
  ASSERT_TRUE(told(3, 5, 3, 5));  // redone late
  ASSERT_TRUE(told(4, 3, 3, 0));  // and what was before it
  auto tails = std::make_unique<logic::TailsWork>();
  tails->user = {.app_id = "app", .uid = "bob"};
  tails->slot = slot_of("app", "bob");
  node.shard->submit(std::move(tails));
  ASSERT_TRUE(node.sink.wait_for(++done_));
  const auto& groups = node.sink.tails(4).groups;
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0],
            (logic::Membership{
                .group_id = kGroup, .changed_seq = 5, .joined_seq = 3, .left_seq = 5, .large_from_seq = 1}));
  EXPECT_EQ(groups[1],
            (logic::Membership{
                .group_id = kGroup, .changed_seq = 9, .joined_seq = 9, .left_seq = 0, .large_from_seq = 1}));
}

TEST_F(GroupStoreTest, KeepsWhoIsInvited) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  const auto change = [&](std::int64_t seq, std::vector<std::string> invited,
                          std::vector<std::string> uninvited) {
    auto one = work(GroupWork::Op::kStore);
    one->rows = {row(seq)};
    one->info = logic::GroupInfo{.name = "g", .announcement = "", .owner = "alice", .create_user = "alice"};
    one->invited = std::move(invited);
    one->uninvited = std::move(uninvited);
    return one;
  };
  const auto invites = [&] {
    std::string out;
    for (const auto& invite : run(node, work(GroupWork::Op::kLoad)).invites)
      out += invite.uid + ":" + std::to_string(invite.invited_seq) + " ";
    return out;
  };
  EXPECT_EQ(run(node, change(1, {"bob", "carol", std::string("d\0e", 3)}, {})).outcome, Outcome::kStored);
  EXPECT_EQ(invites(), std::string("bob:1 carol:1 d\0e:1 ", 20));
  EXPECT_EQ(run(node, change(2, {"erin"}, {"carol", "nobody"})).outcome, Outcome::kStored);
  EXPECT_EQ(invites(), std::string("bob:1 d\0e:1 erin:2 ", 19));
  auto end = change(3, {}, {});
  end->all_left = true;
  EXPECT_EQ(run(node, std::move(end)).outcome, Outcome::kStored);
  EXPECT_EQ(invites(), "");
}

TEST_F(GroupStoreTest, CountsInHowManyGroupsUsersAre) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  MsgId id = 0;
  for (std::int64_t group = 1; group <= 5; ++group) {
    for (const auto* uid : {"bob", "carol"}) {
      auto one = inbox(uid, ++id, "told");
      const bool left = group <= 2 && std::string_view(uid) == "bob";
      one->membership = logic::Membership{.group_id = group,
                                          .changed_seq = left ? 9 : 3,
                                          .joined_seq = 3,
                                          .left_seq = left ? 9 : 0,
                                          .large_from_seq = 2};
      node.shard->submit(std::move(one));
    }
  }
  ASSERT_TRUE(node.sink.wait_for(10));
  std::promise<Result<std::vector<std::size_t>>> promise;
  node.shard->count_memberships({"app", "asker"},
                                {{"app", "carol"}, {"app", "nobody"}, {"app", "bob"}, {"other", "bob"}},
                                [&promise](auto counts) { promise.set_value(std::move(counts)); });
  const auto counts = promise.get_future().get();
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(*counts, (std::vector<std::size_t>{5, 0, 3, 0}));
}

// Else whoever adds somebody to groups and removes him makes his list grow for ever.
TEST_F(GroupStoreTest, AStayThatEndedWithNothingToReadIsForgotten) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  MsgId id = 0;
  const auto told = [&](const std::string& uid, logic::Membership membership) {
    auto one = inbox(uid, ++id, "told");
    one->membership = membership;
    node.shard->submit(std::move(one));
  };
  const logic::Membership joined{.group_id = kGroup, .changed_seq = 3, .joined_seq = 3};
  const logic::Membership left{.group_id = kGroup, .changed_seq = 5, .joined_seq = 3, .left_seq = 5};
  const logic::Membership large{
      .group_id = kGroup, .changed_seq = 5, .joined_seq = 3, .left_seq = 5, .large_from_seq = 2};
  for (const auto* uid : {"bob", "carol", "dave", "erin"}) told(uid, joined);
  ASSERT_TRUE(node.sink.wait_for(4));
  told("bob", left);
  told("carol", left);
  told("erin", large);  // 4 may be read
  told("bob", {.group_id = kGroup, .changed_seq = 8, .joined_seq = 8});
  told("frank", left);  // of whom nothing was known
  ASSERT_TRUE(node.sink.wait_for(9));
  EXPECT_EQ(
      sql("SELECT GROUP_CONCAT(user_id, ':', joined_seq, ':', left_seq ORDER BY user_id) FROM im_user_group"),
      "bob:8:0,dave:3:0,erin:3:5");
}

TEST_F(GroupStoreTest, ASuccessorRedoesWhatLiesAboveTheMark) {
  {
    Node node(config_, 1, 100);
    ASSERT_TRUE(node.start());
    auto messages = work(GroupWork::Op::kStore);
    for (std::int64_t seq = 1; seq <= 300; ++seq) {
      messages->rows.push_back(row(seq, "m" + std::to_string(seq)));
      messages->rows.back().placed_id = node.clock.next();
    }
    run(node, std::move(messages));
  }
  Node again(config_, 1, 101);
  ASSERT_TRUE(again.start());
  ASSERT_EQ(again.observer.redo.placed.size(), 300U);
  EXPECT_EQ(again.observer.redo.placed[299].row.message.group_seq, 300);
  EXPECT_EQ(*again.observer.redo.placed[299].row.message.content, "m300");
  EXPECT_EQ(again.observer.redo.placed[0].row.message.group_id, kGroup);
  EXPECT_GT(again.clock.next(), again.observer.redo.placed[299].row.placed_id);
}

TEST_F(GroupStoreTest, PagesOfAGroup) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  auto messages = work(GroupWork::Op::kStore);
  for (std::int64_t seq = 1; seq <= 100; ++seq) messages->rows.push_back(row(seq, std::string(1000, 'x')));
  messages->rows[4].message.mentions = logic::share(std::string("\0\x01", 2));
  run(node, std::move(messages));
  const auto read = [&](std::int64_t after, std::size_t limit, std::size_t bytes) {
    std::promise<Result<std::vector<logic::StoredMessage>>> promise;
    node.shard->read_group("app", kGroup, after, 90, limit, bytes,
                           [&promise](auto rows) { promise.set_value(std::move(rows)); });
    return promise.get_future().get().value();
  };
  const auto some = read(3, 30, 1 << 20);
  ASSERT_EQ(some.size(), 30U);
  EXPECT_EQ(some[0].seq, 4);
  EXPECT_EQ(*some[1].message.mentions, std::string("\0\x01", 2));
  EXPECT_EQ(some[29].seq, 33);
  EXPECT_EQ(read(80, 30, 1 << 20).size(), 10U);
  EXPECT_EQ(read(0, 30, 2700).size(), 2U);
  EXPECT_EQ(read(0, 30, 1).size(), 1U);
}

}  // namespace
}  // namespace hongyan::testing
