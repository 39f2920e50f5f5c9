// Two users of the cluster, one of whom sends the other numbered messages.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "tests/e2e/test_client.h"

namespace hongyan::e2e {

// Both are online when it is made. send() from one thread at a time.
class Conversation {
 public:
  Conversation() : sender_(tools::unique("alice")), receiver_(tools::unique("bob"), from_start()) {
    sender_.start();
    receiver_.start();
    EXPECT_TRUE(sender_.wait_online());
    EXPECT_TRUE(receiver_.wait_online());
  }
  // The next numbers, each once the one before is acknowledged.
  void send(int count) {
    for (int i = 0; i < count; ++i) {
      const auto receipt = sender_.send(receiver_.uid(), std::to_string(++sent_));
      ASSERT_TRUE(receipt) << sent_ << " " << receipt.error().message;
    }
  }
  [[nodiscard]] int sent() const { return sent_; }
  // Everything sent has come, once and in order.
  void expect_all() {
    ASSERT_TRUE(receiver_.wait_messages(static_cast<std::size_t>(sent_)));
    const auto messages = receiver_.messages();
    ASSERT_EQ(messages.size(), static_cast<std::size_t>(sent_));
    for (int i = 0; i < sent_; ++i)
      EXPECT_EQ(messages[static_cast<std::size_t>(i)].content, std::to_string(i + 1));
  }
  [[nodiscard]] const std::string& receiver() const { return receiver_.uid(); }

 private:
  static client::ClientOptions from_start() {
    client::ClientOptions options;
    options.held_inbox = 0;
    return options;
  }

  TestClient sender_;
  TestClient receiver_;
  std::atomic<int> sent_ = 0;
};

}  // namespace hongyan::e2e
