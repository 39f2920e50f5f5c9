// im_user on a real server.
#include <future>

#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using logic::StoredUser;
using logic::UserRequest;

class UserTest : public StoreTest {
 protected:
  static Result<StoredUser> ask(Node& node, UserRequest request) {
    request.user = {.app_id = "app", .uid = std::string("b\0'b\xff", 5)};
    auto promise = std::make_shared<std::promise<Result<StoredUser>>>();
    auto future = promise->get_future();
    node.shard->run_user_request(std::move(request),
                                 [promise](Result<StoredUser> user) { promise->set_value(std::move(user)); });
    if (future.wait_for(kPatience) != std::future_status::ready) return fail(Code::kInternal, "no answer");
    return future.get();
  }
  static Result<StoredUser> read(Node& node) { return ask(node, {}); }
  static Result<StoredUser> add(Node& node, std::int64_t time) {
    return ask(node, {.kind = UserRequest::Kind::kRegister, .created_time = time, .password_hash = "h'\xff"});
  }
  static Result<StoredUser> ban(Node& node, std::int64_t until, const std::string& reason) {
    return ask(node, {.kind = UserRequest::Kind::kBan, .ban = {.until_ms = until, .reason = reason}});
  }
};

TEST_F(UserTest, RegistersOnce) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  ASSERT_TRUE(read(node));
  EXPECT_EQ(read(node)->created_time, 0);
  const auto first = add(node, 1000);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_TRUE(first->created);
  const auto second = add(node, 1000);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->created);
  EXPECT_EQ(add(node, 2000)->created_time, 1000);
  EXPECT_EQ(read(node)->created_time, 1000);
  EXPECT_EQ(sql("SELECT CONCAT(HEX(user_id), ' ', HEX(password_hash)) FROM im_user"), "62002762FF 6827FF");
}

TEST_F(UserTest, WhoWasBannedFirstCanRegister) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  ASSERT_TRUE(ban(node, logic::kForever, "sp'am"));
  const auto user = add(node, 1000);
  ASSERT_TRUE(user);
  EXPECT_TRUE(user->created);
  EXPECT_EQ(user->ban.until_ms, logic::kForever);
  EXPECT_EQ(user->ban.reason, "sp'am");
}

TEST_F(UserTest, ABanIsReadWithTheTailsAndCanBeEnded) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  ASSERT_TRUE(ban(node, 5000, "one"));
  ASSERT_TRUE(ban(node, 6000, "two"));
  const auto tails = [&node](std::size_t index) {
    auto work = std::make_unique<logic::TailsWork>();
    work->user = {.app_id = "app", .uid = std::string("b\0'b\xff", 5)};
    node.shard->submit(std::move(work));
    EXPECT_TRUE(node.sink.wait_for(index + 1));
    return node.sink.tails(index).ban;
  };
  EXPECT_EQ(tails(0).until_ms, 6000);
  EXPECT_EQ(tails(1).reason, "two");
  ASSERT_TRUE(ban(node, 0, ""));
  EXPECT_EQ(tails(2).until_ms, 0);
  EXPECT_EQ(read(node)->ban.reason, "");
}

TEST_F(UserTest, WhoDoesNotOwnTheSlotsChangesNothing) {
  Node before(config_, 1, 100);
  ASSERT_TRUE(before.start());
  ASSERT_TRUE(ban(before, 5000, "mine"));
  static_cast<void>(sql("UPDATE im_node SET epoch = epoch + 1, boot = 7"));
  const auto refused = ban(before, 0, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_EQ(number("SELECT banned_until FROM im_user"), 5000);
}

}  // namespace
}  // namespace hongyan::testing
