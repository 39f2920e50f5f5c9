// What one logged-in user may take of the cluster.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/e2e/gate_client.h"
#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

// A number, of all shards together.
std::int64_t sum_of(const std::string& statement) {
  const tools::Cluster& cluster = tools::Cluster::get();
  std::int64_t sum = 0;
  for (std::size_t shard = 0; shard < cluster.shards(); ++shard)
    sum += std::stoll(cluster.sql(shard, statement));
  return sum;
}

// Thirty groups of nine hundred users that do not exist, two megabytes on the wire, were a gigabyte and a half.
TEST(LimitsTest, OneClientDoesNotFillTheShards) {
  constexpr std::uint32_t kGroups = 30;
  constexpr int kMembers = 900;
  const std::string mallory = tools::unique("mallory");
  client::GroupOp op;
  op.set_name("everybody");
  for (int i = 0; i < kMembers; ++i) op.add_members(fmt::format("{}-{}{}", mallory, i, std::string(30, 'x')));
  GateClient raw;
  ASSERT_FALSE(raw.login(mallory, tools::Cluster::get().token(mallory)).has_error());
  for (std::uint32_t i = 0; i < kGroups; ++i) {
    client::CtrlSendReq create;
    create.set_type(client::CTRL_TYPE_CREATE_GROUP);
    create.set_content(op.SerializeAsString());
    create.set_client_msg_id(fmt::format("create-{}", i));
    raw.send(client::COMMAND_CTRL_SEND, 100 + i, create.SerializeAsString());
  }
  int done = 0;
  int limited = 0;
  while (done + limited < static_cast<int>(kGroups)) {
    const auto answer = raw.read();
    ASSERT_TRUE(answer);
    if (answer->header.cmd_id != client::COMMAND_CTRL_SEND) continue;
    client::CtrlSendResp response;
    ASSERT_TRUE(response.ParseFromString(answer->body));
    if (response.error().code() == client::ERROR_CODE_RATE_LIMITED) {
      EXPECT_GT(response.error().retry_after_ms(), 0U);
      ++limited;
    } else {
      EXPECT_FALSE(response.has_error()) << response.error().message();
      ++done;
    }
  }
  EXPECT_GT(done, 0);
  EXPECT_GT(limited, 20);
  const std::string of_mallory = fmt::format(" FROM im_message_receive WHERE msg_from = '{}'", mallory);
  EXPECT_EQ(sum_of("SELECT COUNT(*)" + of_mallory), done * (kMembers + 1));
  EXPECT_LT(sum_of("SELECT COALESCE(SUM(LENGTH(msg_content)), 0)" + of_mallory), 16 << 20);
  // The others notice nothing.
  TestClient alice(tools::unique("alice"));
  alice.start();
  EXPECT_TRUE(alice.send(alice.uid(), "hello"));
}

TEST(LimitsTest, NobodyIsMadeAnOwnerByAStranger) {
  TestClient mallory(tools::unique("mallory"));
  mallory.start();
  auto request = client::create_group("yours", {});
  request.op.set_owner(tools::unique("victim"));
  const auto made = mallory.group(request);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kPermissionDenied);
}

}  // namespace
}  // namespace hongyan::e2e
