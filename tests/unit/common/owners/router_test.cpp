#include "common/owners/router.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace hongyan::owners {
namespace {

constexpr std::uint64_t kAlice = 1;
constexpr Slot kSlot = 42;

// Remembers what the router does.
class World : public Requester {
 public:
  struct Sending {
    NodeId node;
    std::uint32_t client_seq;
    std::uint32_t link_seq;
  };
  struct End {
    std::uint32_t client_seq;
    Code code;
    std::string body;
    bool operator==(const End&) const = default;
  };

  Sent send(NodeId node, const Request& request) override {
    if (gone.contains(request.channel)) return Sent::kGone;
    if (blocked.contains(node)) return Sent::kNotNow;
    sent.push_back({.node = node, .client_seq = request.client_seq, .link_seq = request.link_seq});
    return Sent::kSent;
  }
  void answered(const Request& request, const Answer& answer) override {
    ends.push_back(
        {request.client_seq, answer.refused ? Code::kPermissionDenied : Code::kOk, std::string(answer.body)});
  }
  void refused(const Request& request, const Error& error) override {
    ends.push_back({request.client_seq, error.code, ""});
  }

  // Client seqs sent to the node, in order; forgets them.
  std::vector<std::uint32_t> take_sent(NodeId node) {
    std::vector<std::uint32_t> out;
    for (const auto& one : sent) {
      if (one.node == node) out.push_back(one.client_seq);
      link_seq[one.client_seq] = one.link_seq;
    }
    sent.clear();
    return out;
  }

  std::vector<Sending> sent;
  std::map<std::uint32_t, std::uint32_t> link_seq;  // by client seq
  std::vector<End> ends;
  std::set<NodeId> blocked;
  std::set<std::uint64_t> gone;
};

using Seqs = std::vector<std::uint32_t>;

class RouterTest : public testing::Test {
 protected:
  void owns(NodeId node, std::uint64_t epoch) {
    router.send_waiting(router.node_announced(node, {.added = {{.first = 0, .last = 100, .epoch = epoch}}}));
  }
  void gives_up(NodeId node) {
    router.send_waiting(
        router.node_announced(node, {.whole = false, .added = {}, .removed = {{.first = 0, .last = 100}}}));
  }
  void submit(std::uint32_t seq, bool is_send = true, std::uint64_t channel = kAlice) {
    EXPECT_TRUE(router
                    .submit({.channel = channel,
                             .slot = kSlot,
                             .cmd_id = 30,
                             .client_seq = seq,
                             .is_send = is_send,
                             .body = "hello"},
                            now)
                    .has_value());
  }
  void answer(NodeId node, std::uint32_t seq, Answer answer = {}) {
    router.answer(node, world.link_seq.at(seq), answer);
  }
  void pass(Milliseconds time) {
    now += time;
    router.tick(now);
  }

  World world;
  Router router{world, {.request_deadline = Milliseconds(3000), .max_held_bytes = 4096}};
  SteadyTime now{};
};

TEST_F(RouterTest, SendsToTheOwnerAndReturnsTheAnswer) {
  owns(1, 5);
  submit(7);
  EXPECT_EQ(world.take_sent(1), (Seqs{7}));
  answer(1, 7, {.body = "done"});
  EXPECT_EQ(world.ends, (std::vector<World::End>{{7, Code::kOk, "done"}}));
  EXPECT_EQ(router.in_flight(), 0U);
  EXPECT_EQ(router.held_bytes(), 0U);
  answer(1, 7, {.body = "twice"});
  EXPECT_EQ(world.ends.size(), 1U);
}

TEST_F(RouterTest, HoldsInOrderUntilThereIsAnOwner) {
  submit(1);
  submit(2);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(router.waiting(), 2U);
  owns(1, 5);
  submit(3);
  EXPECT_EQ(world.take_sent(1), (Seqs{1, 2, 3}));
  EXPECT_EQ(router.waiting(), 0U);
}

TEST_F(RouterTest, WhatNobodyHadIsUnavailableAtTheDeadline) {
  submit(1);
  pass(Milliseconds(2999));
  EXPECT_TRUE(world.ends.empty());
  pass(Milliseconds(1));
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kUnavailable, ""}}));
}

TEST_F(RouterTest, WhatSomebodyMayHaveDoneIsDeadlineExceeded) {
  owns(1, 5);
  submit(1);
  submit(2);
  world.take_sent(1);
  router.send_waiting(router.node_down(1));
  submit(3);
  pass(Milliseconds(3000));
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kDeadlineExceeded, ""},
                                                 {2, Code::kDeadlineExceeded, ""},
                                                 {3, Code::kUnavailable, ""}}));
  EXPECT_EQ(router.in_flight(), 0U);
}

TEST_F(RouterTest, NewOwnerGetsTheUnansweredInOrderBeforeNewerOnes) {
  owns(1, 5);
  submit(1);
  submit(2);
  submit(3);
  world.take_sent(1);
  answer(1, 2);
  router.send_waiting(router.node_down(1));
  submit(4);
  EXPECT_TRUE(world.sent.empty());
  owns(2, 6);
  submit(5);
  EXPECT_EQ(world.take_sent(2), (Seqs{1, 3, 4, 5}));
  EXPECT_EQ(router.resent(), 2U);
}

TEST_F(RouterTest, OldOwnersOkCountsItsRefusalDoesNot) {
  owns(1, 5);
  submit(1);
  submit(2);
  world.take_sent(1);
  owns(2, 6);
  EXPECT_EQ(world.take_sent(2), (Seqs{1, 2}));
  answer(1, 1, {.body = "stored"});
  answer(1, 2, {.refused = true});
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kOk, "stored"}}));
  answer(2, 1, {.body = "late"});
  answer(2, 2, {.refused = true});
  EXPECT_EQ(world.ends.back(), (World::End{2, Code::kDeadlineExceeded, ""}));
  EXPECT_EQ(world.ends.size(), 2U);
}

TEST_F(RouterTest, RefusalOfAForwardedAgainPullIsPassedOn) {
  owns(1, 5);
  submit(1, false);
  world.take_sent(1);
  owns(2, 6);
  world.take_sent(2);
  answer(2, 1, {.refused = true, .body = "no"});
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kPermissionDenied, "no"}}));
}

TEST_F(RouterTest, OldOwnersLoginDoesNotCount) {
  owns(1, 5);
  submit(1, false);
  world.take_sent(1);
  owns(2, 6);
  world.take_sent(2);
  answer(1, 1, {.login_epoch = 100});
  EXPECT_TRUE(world.ends.empty());
  answer(2, 1, {.login_epoch = 101, .body = "in"});
  EXPECT_EQ(world.ends.size(), 1U);
}

TEST_F(RouterTest, NotOwnerTookNothing) {
  owns(1, 5);
  submit(1);
  world.take_sent(1);
  answer(1, 1, {.not_owner = true, .known_epoch = 5});
  EXPECT_FALSE(router.owners().owner(kSlot).known());
  submit(2);
  owns(2, 6);
  EXPECT_EQ(world.take_sent(2), (Seqs{1, 2}));
  answer(2, 1, {.refused = true, .body = "no"});  // definite: node 1 had taken nothing
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kPermissionDenied, "no"}}));
}

TEST_F(RouterTest, NotOwnerAtTheDeadlineIsUnavailable) {
  owns(1, 5);
  submit(1);
  world.take_sent(1);
  answer(1, 1, {.not_owner = true, .known_epoch = 5});
  pass(Milliseconds(3000));
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kUnavailable, ""}}));
}

TEST_F(RouterTest, NotOwnerThatKnowsLessIsAskedAgainLater) {
  owns(1, 5);
  submit(1);
  submit(2);
  world.take_sent(1);
  answer(1, 1, {.not_owner = true, .known_epoch = 0});
  submit(3);  // stays behind 1
  EXPECT_TRUE(world.sent.empty());
  pass(Milliseconds(50));
  EXPECT_EQ(world.take_sent(1), (Seqs{1, 3}));
}

TEST_F(RouterTest, FullLinkHoldsTheOrder) {
  owns(1, 5);
  world.blocked.insert(1);
  submit(1);
  submit(2);
  world.blocked.clear();
  submit(3);
  EXPECT_TRUE(world.sent.empty());
  pass(Milliseconds(50));
  EXPECT_EQ(world.take_sent(1), (Seqs{1, 2, 3}));
}

TEST_F(RouterTest, SameNodeWithANewEpochIsANewOwner) {
  owns(1, 5);
  submit(1);
  world.take_sent(1);
  owns(1, 6);
  EXPECT_EQ(world.take_sent(1), (Seqs{1}));
  answer(1, 1, {.refused = true});
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kDeadlineExceeded, ""}}));
}

TEST_F(RouterTest, ForgetsRequestsOfClientsThatHaveGone) {
  submit(1);
  world.gone.insert(kAlice);
  owns(1, 5);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(router.in_flight(), 0U);
  EXPECT_EQ(router.waiting(), 0U);
}

TEST_F(RouterTest, RefusesPastTheBoundOfHeldBytes) {
  Status taken;
  int count = 0;
  while (taken && count < 1000) {
    taken = router.submit({.channel = kAlice, .slot = kSlot, .body = std::string_view("hello")}, now);
    ++count;
  }
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code, Code::kUnavailable);
  EXPECT_EQ(taken.error().retry_after_ms, 500U);
  pass(Milliseconds(3000));
  EXPECT_EQ(router.held_bytes(), 0U);
  submit(1);
}

TEST_F(RouterTest, ManyRequestsKeepTheirIdentity) {
  owns(1, 5);
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t i = 1; i <= 10; ++i) submit(round * 10 + i);
    world.take_sent(1);
    for (std::uint32_t i = 10; i >= 1; --i) answer(1, round * 10 + i);
  }
  EXPECT_EQ(world.ends.size(), 30U);
  std::set<std::uint32_t> seqs;
  for (const auto& end : world.ends) seqs.insert(end.client_seq);
  EXPECT_EQ(seqs.size(), 30U);
}

TEST_F(RouterTest, ASlotThatLeavesAndComesBackTakesItsRequestsInTheirOrder) {
  owns(1, 5);
  submit(1);
  submit(2);
  world.take_sent(1);
  answer(1, 1, {.not_owner = true, .known_epoch = 5});
  gives_up(1);
  EXPECT_TRUE(world.sent.empty());
  owns(1, 6);
  EXPECT_EQ(world.take_sent(1), (Seqs{1, 2}));
  // What was said of the first sending of the second says nothing of the one under way.
  answer(1, 2, {.not_owner = true, .known_epoch = 5});
  pass(Milliseconds(50));
  EXPECT_TRUE(world.sent.empty());
  answer(1, 1);
  answer(1, 2);
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kOk, ""}, {2, Code::kOk, ""}}));
}

TEST_F(RouterTest, AnAnswerOfAFormerOwnerWithRefusalsInItDoesNotCount) {
  owns(1, 5);
  submit(1);
  world.take_sent(1);
  owns(2, 6);
  EXPECT_EQ(world.take_sent(2), (Seqs{1}));
  answer(1, 1, {.partly_refused = true, .body = "some"});
  EXPECT_TRUE(world.ends.empty());
  // Nor are the present one's refusals final: what it refuses, the former one may have done.
  answer(2, 1, {.partly_refused = true, .body = "some"});
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kDeadlineExceeded, ""}}));
}

TEST_F(RouterTest, AnAnswerWithRefusalsOfTheOnlyOwnerIsPassedOn) {
  owns(1, 5);
  submit(1);
  world.take_sent(1);
  answer(1, 1, {.partly_refused = true, .body = "some"});
  EXPECT_EQ(world.ends, (std::vector<World::End>{{1, Code::kOk, "some"}}));
}

}  // namespace
}  // namespace hongyan::owners
