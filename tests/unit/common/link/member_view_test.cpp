#include "common/link/member_view.h"

#include <gtest/gtest.h>

namespace hongyan::link {
namespace {

Member node(const std::string& id, std::uint64_t boot = 1) {
  return {.node_id = id, .boot_id = boot, .endpoint = {"127.0.0.1", 7100}};
}

class MemberViewTest : public testing::Test {
 protected:
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const auto& member : view.members()) out.push_back(member.node_id);
    return out;
  }
  using Ids = std::vector<std::string>;

  MemberView view;
  SteadyTime now{};
};

TEST_F(MemberViewTest, IsTheUnionOfAllAnswers) {
  EXPECT_TRUE(view.answer(0, {node("b"), node("a")}, true, now));
  EXPECT_TRUE(view.answer(1, {node("c"), node("a")}, true, now));
  EXPECT_EQ(ids(), (Ids{"a", "b", "c"}));
  EXPECT_FALSE(view.answer(1, {node("c"), node("a")}, true, now));
}

TEST_F(MemberViewTest, DropsWhatNobodyNamedForThreeSeconds) {
  view.answer(0, {node("a"), node("b")}, true, now);
  now += Milliseconds(2999);
  EXPECT_FALSE(view.answer(0, {node("a")}, true, now));
  EXPECT_EQ(ids(), (Ids{"a", "b"}));
  now += Milliseconds(1);
  EXPECT_TRUE(view.answer(0, {node("a")}, true, now));
  EXPECT_EQ(ids(), (Ids{"a"}));
}

TEST_F(MemberViewTest, IncompleteAnswersOnlyAdd) {
  view.answer(0, {node("a")}, true, now);
  view.unreachable(0);
  now += Milliseconds(10'000);
  EXPECT_TRUE(view.answer(1, {node("b")}, false, now));
  EXPECT_EQ(ids(), (Ids{"a", "b"}));
  EXPECT_TRUE(view.answer(1, {node("b")}, true, now));
  EXPECT_EQ(ids(), (Ids{"b"}));
}

TEST_F(MemberViewTest, LastListStandsWhenNoneIsReachable) {
  view.answer(0, {node("a")}, true, now);
  view.unreachable(0);
  EXPECT_EQ(ids(), (Ids{"a"}));
}

TEST_F(MemberViewTest, TellsOfARestartedNode) {
  view.answer(0, {node("a", 1)}, true, now);
  EXPECT_TRUE(view.answer(0, {node("a", 2)}, true, now));
  EXPECT_EQ(view.members().front().boot_id, 2U);
}

}  // namespace
}  // namespace hongyan::link
