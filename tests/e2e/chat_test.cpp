// Two people chat, and offline messages wait.
#include <gtest/gtest.h>

#include <set>

#include "tests/e2e/gate_client.h"
#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

client::ClientOptions from_start() {
  client::ClientOptions options;
  options.held_inbox = 0;
  return options;
}

TEST(ChatTest, OnlineMessageArrives) {
  TestClient alice(tools::unique("alice"));
  TestClient bob(tools::unique("bob"));
  alice.start();
  bob.start();
  ASSERT_TRUE(alice.wait_online()) << alice.last_failure();
  ASSERT_TRUE(bob.wait_online()) << bob.last_failure();
  const auto receipt = alice.send(bob.uid(), "hello");
  ASSERT_TRUE(receipt) << receipt.error().message;
  ASSERT_TRUE(bob.wait_messages(1));
  const auto message = bob.messages().front();
  EXPECT_EQ(message.from, alice.uid());
  EXPECT_EQ(message.content, "hello");
  EXPECT_EQ(message.msg_id, receipt->msg_id);
  EXPECT_EQ(message.client_msg_id, receipt->client_msg_id);
  EXPECT_EQ(message.seq, 1);
}

TEST(ChatTest, OfflineMessagesWaitInOrder) {
  const std::string carol = tools::unique("carol");
  TestClient alice(tools::unique("alice"));
  alice.start();
  for (int i = 1; i <= 250; ++i) ASSERT_TRUE(alice.send(carol, std::to_string(i)));
  TestClient receiver(carol, from_start());
  receiver.start();
  ASSERT_TRUE(receiver.wait_messages(250));
  const auto messages = receiver.messages();
  for (std::size_t i = 0; i < 250; ++i) {
    EXPECT_EQ(messages[i].content, std::to_string(i + 1));
    EXPECT_EQ(messages[i].seq, static_cast<std::int64_t>(i + 1));
  }
}

TEST(ChatTest, KeepsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::vector<std::string> contents = {"",
                                             std::string("\0", 1),
                                             all,
                                             "\xF0\x9F\xA6\xA2 \xE9\xB8\xBF\xE9\x9B\x81",
                                             std::string(60 << 10, '\xAB'),
                                             "'; DROP TABLE im_slot; --"};
  const std::string to = tools::unique("bob");
  TestClient alice(tools::unique("alice"));
  alice.start();
  for (const auto& content : contents) ASSERT_TRUE(alice.send(to, content));
  TestClient bob(to, from_start());
  bob.start();
  ASSERT_TRUE(bob.wait_messages(contents.size()));
  const auto messages = bob.messages();
  for (std::size_t i = 0; i < contents.size(); ++i) EXPECT_TRUE(messages[i].content == contents[i]) << i;
}

TEST(ChatTest, IdsAreComparedByteByByte) {
  const std::string name = tools::unique("Alice");
  std::string lower = name;
  lower[0] = 'a';
  TestClient sender(tools::unique("sender"));
  sender.start();
  const std::vector<std::string> users = {name, lower, name + " ", name + "'\"\\;", name + "\r\n"};
  for (const auto& user : users) ASSERT_TRUE(sender.send(user, "to " + user));
  for (const auto& user : users) {
    TestClient receiver(user, from_start());
    receiver.start();
    ASSERT_TRUE(receiver.wait_messages(1)) << user;
    EXPECT_EQ(receiver.messages().size(), 1U);
    EXPECT_EQ(receiver.messages().front().content, "to " + user);
  }
  // Ids of messages too: under a text collation the second would be a duplicate of the first.
  const auto first = sender.send(name, "1", {.client_msg_id = "Ab"});
  const auto second = sender.send(name, "2", {.client_msg_id = "aB"});
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->msg_id, second->msg_id);
}

TEST(ChatTest, ResendGetsTheSameIdAndStoresNothing) {
  TestClient alice(tools::unique("alice"));
  alice.start();
  const std::string to = tools::unique("bob");
  const auto first = alice.send(to, "once", {.client_msg_id = "fixed"});
  const auto again = alice.send(to, "once", {.client_msg_id = "fixed"});
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->msg_id, again->msg_id);
  EXPECT_EQ(first->outbox_seq, again->outbox_seq);
  const auto elsewhere = alice.send(tools::unique("carol"), "once", {.client_msg_id = "fixed"});
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, Code::kAlreadyExists);
  TestClient bob(to, from_start());
  bob.start();
  ASSERT_TRUE(bob.wait_messages(1));
  ASSERT_TRUE(bob.pull());
  EXPECT_EQ(bob.messages().size(), 1U);
}

TEST(ChatTest, NotesToSelf) {
  TestClient alice(tools::unique("alice"));
  alice.start();
  ASSERT_TRUE(alice.send(alice.uid(), "milk"));
  ASSERT_TRUE(alice.wait_messages(1));
  EXPECT_EQ(alice.messages().front().from, alice.uid());
}

TEST(ChatTest, OtherDeviceSeesWhatWasSent) {
  const std::string uid = tools::unique("alice");
  client::ClientOptions page;
  page.device_type = client::DEVICE_TYPE_WEB;
  page.receive_sent = true;
  TestClient phone(uid);
  TestClient browser(uid, page);
  phone.start();
  browser.start();
  ASSERT_TRUE(phone.wait_online());
  ASSERT_TRUE(browser.wait_online());
  const std::string to = tools::unique("bob");
  ASSERT_TRUE(phone.send(to, "from the phone"));
  ASSERT_TRUE(browser.wait_messages(1));
  EXPECT_TRUE(browser.messages().front().sent);
  EXPECT_EQ(browser.messages().front().to, to);
}

TEST(ChatTest, SecondLoginKicksTheFirst) {
  const std::string uid = tools::unique("bob");
  TestClient first(uid);
  first.start();
  ASSERT_TRUE(first.wait_online());
  TestClient second(uid);
  second.start();
  ASSERT_TRUE(second.wait_online());
  ASSERT_TRUE(tools::eventually([&first] { return !first.kicks().empty(); }));
  EXPECT_EQ(first.kicks().front().reason, client::KICK_REASON_OTHER_LOGIN);
  EXPECT_TRUE(tools::eventually([&first] { return first.state() == client::State::kStopped; }));
  TestClient alice(tools::unique("alice"));
  alice.start();
  ASSERT_TRUE(alice.send(uid, "to the survivor"));
  EXPECT_TRUE(second.wait_messages(1));
}

TEST(ChatTest, IplistNamesTheGates) {
  client::ClientOptions options;
  options.iplist = {tools::Cluster::get().iplist()};
  TestClient alice(tools::unique("alice"), options);
  alice.start();
  ASSERT_TRUE(alice.wait_online()) << alice.last_failure();
  EXPECT_TRUE(alice.send(alice.uid(), "found"));
}

// A device that does not acknowledge gets the push once more after 5 s, and no third time.
TEST(ChatTest, UnacknowledgedPushComesAgainAfterFiveSeconds) {
  const std::string uid = tools::unique("bob");
  GateClient bob;
  ASSERT_EQ(bob.login(uid, tools::Cluster::get().token(uid)).error().code(), client::ERROR_CODE_OK);
  TestClient alice(tools::unique("alice"));
  alice.start();
  const auto receipt = alice.send(uid, "are you there?");
  ASSERT_TRUE(receipt);
  const auto first = bob.read();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->header.cmd_id, static_cast<std::uint32_t>(client::COMMAND_C2C_PUSH));
  EXPECT_EQ(first->header.seq, 0U);
  const auto begin = std::chrono::steady_clock::now();
  const auto second = bob.read();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->body, first->body);
  EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
  EXPECT_FALSE(bob.read(std::chrono::seconds(7)));
  EXPECT_FALSE(bob.closed());
  // The next sign of life brings the hint to pull.
  bob.send(client::COMMAND_PULL, 9, client::PullReq().SerializeAsString());
  std::set<std::uint32_t> commands;
  for (int i = 0; i < 2; ++i) {
    const auto packet = bob.read();
    ASSERT_TRUE(packet);
    commands.insert(packet->header.cmd_id);
  }
  EXPECT_TRUE(commands.contains(client::COMMAND_SYNC_NOTIFY));
  EXPECT_TRUE(commands.contains(client::COMMAND_PULL));
}

TEST(ChatTest, RoutesStandInRedis) {
  const std::string uid = tools::unique("alice");
  TestClient alice(uid);
  alice.start();
  ASSERT_TRUE(alice.wait_online());
  const tools::Cluster& cluster = tools::Cluster::get();
  const std::string command = "HLEN 'route:{" + cluster.app() + ":" + uid + "}'";
  EXPECT_TRUE(tools::eventually([&] { return cluster.redis(command) == "1"; }));
  alice.stop();
  EXPECT_TRUE(tools::eventually([&] { return cluster.redis(command) == "0"; }));
}

}  // namespace
}  // namespace hongyan::e2e
