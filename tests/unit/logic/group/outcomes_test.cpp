#include "logic/group/outcomes.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/logic/user/bare_context.h"

namespace hongyan::logic {
namespace {

class FakeMailbox : public GroupMailbox {
 public:
  void answer(Slot slot, CtrlAnswer answer) override { answers.emplace_back(slot, answer.msg_id); }
  void ask(GroupAsk) override {}
  void reply(const Origin&, GroupReply) override {}
  void broadcast(GroupBroadcast) override {}
  std::vector<std::pair<Slot, MsgId>> answers;  // to whose owner, of which command
};

class CommandOutcomesTest : public ::testing::Test {
 protected:
  static DeliverWorkPtr sent_by(std::string from) {
    auto command = std::make_unique<DeliverWork>();
    command->user.app_id = "demo";
    command->message.from = std::move(from);
    return command;
  }
  static Slot slot(std::string_view uid) { return slot_of("demo", uid); }
  using Answers = std::vector<std::pair<Slot, MsgId>>;

  BareContext bare_;
  FakeMailbox mailbox_;
  CommandOutcomes outcomes_{bare_.context, mailbox_};
};

TEST_F(CommandOutcomesTest, WithNobodyToWaitForTheSenderIsToldAtOnce) {
  outcomes_.answer(*sent_by("alice"), {.msg_id = 1, .error = {}, .result = {}});
  EXPECT_EQ(mailbox_.answers, (Answers{{slot("alice"), 1}}));
}

TEST_F(CommandOutcomesTest, TheSenderIsToldWhenTheMembersHaveTheirRows) {
  outcomes_.answer(*sent_by("alice"), {.msg_id = 1, .error = {}, .result = {}}, 70);
  outcomes_.answer(*sent_by("bob"), {.msg_id = 2, .error = {}, .result = {}}, 71);
  outcomes_.fanned_out(69);
  EXPECT_TRUE(mailbox_.answers.empty());
  outcomes_.fanned_out(71);
  EXPECT_EQ(mailbox_.answers, (Answers{{slot("bob"), 2}}));
  outcomes_.fanned_out(70);
  outcomes_.fanned_out(70);
  EXPECT_EQ(mailbox_.answers.size(), 2U);
}

TEST_F(CommandOutcomesTest, NobodyWaitsForASlowShardLongerThanPatience) {
  outcomes_.answer(*sent_by("alice"), {.msg_id = 1, .error = {}, .result = {}}, 70);
  bare_.now += CommandOutcomes::kPatience / 2;
  outcomes_.answer(*sent_by("bob"), {.msg_id = 2, .error = {}, .result = {}}, 71);
  bare_.now += CommandOutcomes::kPatience / 2;
  outcomes_.tick();
  EXPECT_EQ(mailbox_.answers, (Answers{{slot("alice"), 1}}));
  outcomes_.fanned_out(70);
  EXPECT_EQ(mailbox_.answers.size(), 1U);
}

}  // namespace
}  // namespace hongyan::logic
