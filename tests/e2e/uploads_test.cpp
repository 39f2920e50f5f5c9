// Uploads of clients (C2S) stand in Kafka as docs/protocol.md says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <random>

#include "tests/e2e/gate_client.h"
#include "tests/e2e/test_client.h"
#include "tests/support/kafka_reader.h"

namespace hongyan::e2e {
namespace {

std::vector<test::KafkaMessage> uploads_of(const std::string& uid, const std::string& destination) {
  auto messages = test::read_topic(tools::Cluster::get().variable("HONGYAN_KAFKA"), "im.c2s." + destination);
  std::erase_if(messages, [&uid](const auto& message) { return message.key != uid; });
  return messages;
}

TEST(UploadsTest, BytesKeyAndHeadersArrive) {
  client::ClientOptions phone;
  phone.device_type = client::DEVICE_TYPE_ANDROID;
  TestClient alice(tools::unique("alice"), phone);
  alice.start();
  std::vector<std::string> contents = {"order 1", "", std::string("\0 \xff", 3), "鸿雁 🪿",
                                       std::string(60 << 10, '\xfe')};
  std::vector<client::SendReceipt> receipts;
  for (const auto& content : contents) {
    const auto receipt = alice.upload("orders", content);
    ASSERT_TRUE(receipt) << receipt.error().message;
    EXPECT_EQ(receipt->attempts, 1) << "the first upload needs no second attempt either";
    receipts.push_back(*receipt);
  }
  const auto found = uploads_of(alice.uid(), "orders");
  ASSERT_EQ(found.size(), contents.size());
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const auto& message = found[i];
    EXPECT_EQ(message.value, contents[i]);
    EXPECT_EQ(message.partition, found[0].partition);
    EXPECT_EQ(test::header(message, "ce_specversion"), "1.0");
    EXPECT_EQ(test::header(message, "ce_id"), std::to_string(receipts[i].msg_id));
    EXPECT_EQ(test::header(message, "ce_source"), "/apps/demo");
    EXPECT_EQ(test::header(message, "ce_type"), "hongyan.c2s.v1");
    EXPECT_EQ(test::header(message, "ce_subject"), alice.uid());
    EXPECT_TRUE(test::header(message, "ce_time").ends_with("Z"));
    EXPECT_EQ(test::header(message, "hongyan_device_type"), "ANDROID");
    EXPECT_EQ(test::header(message, "hongyan_client_msg_id"), receipts[i].client_msg_id);
  }
}

TEST(UploadsTest, AUidOfAnyBytesIsTheKey) {
  TestClient user(tools::unique("用户 \"\\") + "\x01");
  user.start();
  ASSERT_TRUE(user.upload("feedback", "hello"));
  EXPECT_EQ(uploads_of(user.uid(), "feedback").size(), 1U);
}

TEST(UploadsTest, KeepsAUsersOrderWithManyOnTheirWay) {
  client::ClientOptions options;
  options.strict_order = false;
  TestClient user(tools::unique("user"), options);
  user.start();
  ASSERT_TRUE(user.wait_online());
  constexpr int kCount = 500;
  std::vector<std::promise<Result<client::SendReceipt>>> answers(kCount);
  for (int i = 0; i < kCount; ++i) {
    user.client().upload("orders", std::to_string(i), {}, [&answers, i](Result<client::SendReceipt> receipt) {
      answers[static_cast<std::size_t>(i)].set_value(std::move(receipt));
    });
  }
  for (auto& answer : answers) ASSERT_TRUE(answer.get_future().get());
  const auto found = uploads_of(user.uid(), "orders");
  ASSERT_EQ(found.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(found[static_cast<std::size_t>(i)].value, std::to_string(i));
}

TEST(UploadsTest, RefusesWhatTheAppDoesNotAllow) {
  TestClient user(tools::unique("user"));
  user.start();
  const auto refused = user.upload("nowhere", "x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kNotFound);

  GateClient raw;
  const std::string uid = tools::unique("raw");
  ASSERT_FALSE(raw.login(uid, tools::Cluster::get().token(uid)).has_error());
  client::C2SReq request;
  request.set_destination("orders");
  raw.send(client::COMMAND_C2S, 5, request.SerializeAsString());  // no client_msg_id
  const auto answer = raw.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.seq, 5U);
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
}

// The broker takes less than Hongyan does: of what shares a batch only the one that is too large is refused.
TEST(UploadsTest, OneThatTheBrokerFindsTooLargeHoldsUpNoOther) {
  const std::string& brokers = tools::Cluster::get().variable("HONGYAN_KAFKA");
  test::set_topic(brokers, "im.c2s.feedback", "max.message.bytes", "8192");
  client::ClientOptions options;
  options.strict_order = false;
  TestClient user(tools::unique("user"), options);
  user.start();
  ASSERT_TRUE(user.wait_online());
  constexpr std::size_t kCount = 30;
  constexpr std::size_t kLarge = 7;
  std::vector<std::promise<Result<client::SendReceipt>>> answers(kCount);
  // What repeats itself would be compressed.
  std::minstd_rand random(1);
  std::string large(32 << 10, ' ');
  for (char& byte : large) byte = static_cast<char>(random());
  for (std::size_t i = 0; i < kCount; ++i) {
    user.client().upload(
        "feedback", i == kLarge ? large : std::to_string(i), {},
        [&answers, i](Result<client::SendReceipt> receipt) { answers[i].set_value(std::move(receipt)); });
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto answer = answers[i].get_future().get();
    if (i == kLarge) {
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().code, Code::kTooLarge);
      EXPECT_EQ(answer.error().message.find("roker"), std::string::npos) << answer.error().message;
    } else {
      EXPECT_TRUE(answer) << i << " " << answer.error().message;
    }
  }
  test::set_topic(brokers, "im.c2s.feedback", "max.message.bytes", "1048588");
  const auto found = uploads_of(user.uid(), "feedback");
  ASSERT_EQ(found.size(), kCount - 1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].value, std::to_string(i < kLarge ? i : i + 1));
  }
  EXPECT_TRUE(user.upload("feedback", large));
}

}  // namespace
}  // namespace hongyan::e2e
