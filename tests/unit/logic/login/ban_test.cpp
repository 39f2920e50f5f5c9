// Who is banned is not let in, and does not stay; who is registered stays so.
#include "proto/internal.pb.h"
#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {
namespace {

class BanTest : public PipelineHarness {
 protected:
  BanTest() { acquire(); }

  void call(std::uint32_t seq, internal::Command command, const google::protobuf::MessageLite& body) {
    request(gate_, seq, "bob", command, body.SerializeAsString());
  }
  internal::User ban(std::uint32_t seq, std::int64_t until_ms, std::string_view reason = "spam") {
    internal::Ban wanted;
    wanted.set_until_ms(until_ms);
    wanted.set_reason(std::string(reason));
    call(seq, internal::COMMAND_BAN, wanted);
    settle();
    return body_of<internal::User>(seq);
  }
  [[nodiscard]] client::Error refusal(std::uint32_t seq) const {
    return body_of<client::ErrorOnly>(seq).error();
  }
};

TEST_F(BanTest, EndsTheSessionsAndRefusesLogins) {
  login(1, "bob", 500, 1);
  login(2, "bob", 600, 3);
  login(3, "alice", 700);
  settle();
  const auto banned = ban(4, kForever);
  EXPECT_EQ(banned.kicked(), 2);
  EXPECT_EQ(banned.ban().until_ms(), kForever);
  ASSERT_EQ(gate_->kicks.size(), 2U);
  client::Kickout kickout;
  ASSERT_TRUE(kickout.ParseFromString(gate_->kicks[0].second));
  EXPECT_EQ(kickout.reason(), client::KICK_REASON_ADMIN);
  EXPECT_EQ(kickout.message(), "banned: spam");
  login(5, "bob", 501);
  EXPECT_EQ(refusal(5).code(), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(refusal(5).message(), "banned: spam");
  thread_of("bob").session_closed(*gate_, 500);
  EXPECT_EQ(events_.all.back().reason, "admin");
}

TEST_F(BanTest, IsKnownAfterARestartWithoutAnotherRoundTrip) {
  ban(1, kForever);
  restart();
  acquire();
  login(2, "bob", 500);
  ASSERT_EQ(shard_of("bob").queue.size(), 1U);  // the tails, and the ban with them
  settle();
  EXPECT_EQ(refusal(2).code(), client::ERROR_CODE_PERMISSION_DENIED);
  ban(3, 0);
  login(4, "bob", 500);
  EXPECT_FALSE(body_of<client::ErrorOnly>(4).has_error());
}

TEST_F(BanTest, IsOverWhenItsTimeIs) {
  ban(1, wall_ + 1000);
  login(2, "bob", 500);
  settle();
  EXPECT_EQ(refusal(2).code(), client::ERROR_CODE_PERMISSION_DENIED);
  pass(Milliseconds(1000));
  login(3, "bob", 500);
  EXPECT_FALSE(body_of<client::ErrorOnly>(3).has_error());
}

TEST_F(BanTest, OverridesWhatWasReadOfItBefore) {
  login(1, "bob", 500);  // reads the tails, before the ban is committed
  auto works = shard_of("bob").commit();
  ban(2, kForever);
  thread_of("bob").works_finished(std::move(works));
  settle();
  EXPECT_EQ(refusal(1).code(), client::ERROR_CODE_PERMISSION_DENIED);
}

TEST_F(BanTest, AnAnnouncedSessionOfABannedUserIsKicked) {
  ban(1, kForever);
  restart();
  acquire();
  tell(gate_, session_of("bob", 500, 10), true);
  ASSERT_EQ(gate_->kicks.size(), 1U);
  tell(gate_, session_of("bob", 500, 10), false);  // that kick was lost
  EXPECT_EQ(gate_->kicks.size(), 2U);
}

TEST_F(BanTest, StorageThatRefusesChangesNothing) {
  login(1, "bob", 500);
  settle();
  shard_of("bob").refuse = true;
  internal::Ban wanted;
  wanted.set_until_ms(kForever);
  call(2, internal::COMMAND_BAN, wanted);
  settle();
  EXPECT_EQ(refusal(2).code(), client::ERROR_CODE_UNAVAILABLE);
  EXPECT_TRUE(gate_->kicks.empty());
  shard_of("bob").refuse = false;
  login(3, "bob", 500);
  EXPECT_FALSE(body_of<client::ErrorOnly>(3).has_error());
}

TEST_F(BanTest, AUserIsRegisteredOnce) {
  internal::Register wanted;
  wanted.set_password_hash("hash");
  call(1, internal::COMMAND_REGISTER, wanted);
  settle();
  EXPECT_TRUE(body_of<internal::User>(1).created());
  EXPECT_EQ(body_of<internal::User>(1).created_time(), wall_);
  pass(Milliseconds(1000));
  call(2, internal::COMMAND_REGISTER, wanted);
  settle();
  EXPECT_FALSE(body_of<internal::User>(2).created());
  call(3, internal::COMMAND_USER, internal::Ban());
  settle();
  EXPECT_EQ(body_of<internal::User>(3).created_time(), wall_ - 1000);
}

}  // namespace
}  // namespace hongyan::logic
