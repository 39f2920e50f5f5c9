// A user with the client library, for tests: blocking calls, and everything received kept.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/cpp/client.h"
#include "client/cpp/group.h"
#include "tools/support/cluster.h"

namespace hongyan::e2e {

class TestClient {
 public:
  // options: what differs from a plain desktop user with a token of its own.
  explicit TestClient(std::string uid, client::ClientOptions options = {});
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void start() { client_->start(); }
  void stop();
  [[nodiscard]] bool wait_online(std::chrono::milliseconds deadline = std::chrono::seconds(20)) const;

  // Blocks until it is answered.
  [[nodiscard]] Result<client::SendReceipt> send(const std::string& to, const std::string& content,
                                                 client::SendOptions options = {});
  [[nodiscard]] Result<client::SendReceipt> upload(const std::string& destination, const std::string& content,
                                                   client::SendOptions options = {});
  [[nodiscard]] Result<client::SendReceipt> send_to_group(std::int64_t group_id, const std::string& content,
                                                          client::SendOptions options = {},
                                                          std::vector<std::string> mentions = {});
  [[nodiscard]] Result<client::SendReceipt> group(client::GroupRequest request,
                                                  client::SendOptions options = {});
  [[nodiscard]] Status pull();

  [[nodiscard]] std::vector<client::Message> messages() const;
  // Of large groups, as on_group_held told.
  [[nodiscard]] client::GroupSeqs held_groups() const;
  [[nodiscard]] std::vector<client::Kick> kicks() const;
  [[nodiscard]] bool wait_messages(std::size_t count,
                                   std::chrono::milliseconds deadline = std::chrono::seconds(30)) const;
  [[nodiscard]] client::State state() const;
  [[nodiscard]] std::string last_failure() const;

  [[nodiscard]] const std::string& uid() const { return uid_; }
  [[nodiscard]] client::Client& client() { return *client_; }

 private:
  // Blocks until what start(callback) began is answered.
  template <typename Start>
  static Result<client::SendReceipt> await(Start start);

  const std::string uid_;
  mutable std::mutex mutex_;
  std::vector<client::Message> messages_;
  client::GroupSeqs held_groups_;
  std::vector<client::Kick> kicks_;
  client::State state_ = client::State::kStopped;
  std::string last_failure_;
  net::EventLoop loop_;  // for the coroutines of this class
  std::unique_ptr<client::Client> client_;
};

}  // namespace hongyan::e2e
