#include "tests/e2e/test_client.h"

#include <future>

namespace hongyan::e2e {

TestClient::TestClient(std::string uid, client::ClientOptions options)
    : uid_(std::move(uid)), loop_("test client") {
  const tools::Cluster& cluster = tools::Cluster::get();
  options.uid = uid_;
  options.app_id = cluster.app();
  if (options.token.empty()) options.token = cluster.token(uid_);
  if (options.gates.empty() && options.iplist.empty()) options.gates = cluster.gates();
  if (options.device_id.empty()) options.device_id = tools::unique("device");
  client::Handlers handlers;
  handlers.on_message = [this](const client::Message& message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(message);
  };
  handlers.on_group_held = [this](std::int64_t group_id, std::int64_t held) {
    const std::lock_guard lock(mutex_);
    held_groups_[group_id] = held;
  };
  handlers.on_kicked = [this](const client::Kick& kick) {
    const std::lock_guard lock(mutex_);
    kicks_.push_back(kick);
  };
  handlers.on_state = [this](client::State state, const client::Failure& failure) {
    const std::lock_guard lock(mutex_);
    state_ = state;
    if (failure.code != Code::kOk)
      last_failure_ = std::string(code_name(failure.code)) + " " + failure.message;
  };
  loop_.start();
  client_ = std::make_unique<client::Client>(std::move(options), std::move(handlers));
}

TestClient::~TestClient() { client_.reset(); }

void TestClient::stop() {
  std::promise<void> done;
  auto future = done.get_future();
  loop_.spawn("stop", [](client::Client* client, std::promise<void>* to) -> net::Awaitable<> {
    co_await client->stop();
    to->set_value();
  }(client_.get(), &done));
  future.get();
}

bool TestClient::wait_online(std::chrono::milliseconds deadline) const {
  return tools::eventually([this] { return state() == client::State::kOnline; }, deadline);
}

template <typename Start>
Result<client::SendReceipt> TestClient::await(Start start) {
  std::promise<Result<client::SendReceipt>> done;
  auto future = done.get_future();
  start([&done](Result<client::SendReceipt> result) { done.set_value(std::move(result)); });
  return future.get();
}

Result<client::SendReceipt> TestClient::send(const std::string& to, const std::string& content,
                                             client::SendOptions options) {
  return await([&](auto done) { client_->send(to, content, std::move(options), std::move(done)); });
}

Result<client::SendReceipt> TestClient::upload(const std::string& destination, const std::string& content,
                                               client::SendOptions options) {
  return await(
      [&](auto done) { client_->upload(destination, content, std::move(options), std::move(done)); });
}

Result<client::SendReceipt> TestClient::send_to_group(std::int64_t group_id, const std::string& content,
                                                      client::SendOptions options,
                                                      std::vector<std::string> mentions) {
  return await([&](auto done) {
    client_->send_to_group({.group_id = group_id, .content = content, .mentions = std::move(mentions)},
                           std::move(options), std::move(done));
  });
}

Result<client::SendReceipt> TestClient::group(client::GroupRequest request, client::SendOptions options) {
  return await([&](auto done) { client_->group(std::move(request), std::move(options), std::move(done)); });
}

Status TestClient::pull() {
  std::promise<Status> done;
  auto future = done.get_future();
  client_->pull(std::chrono::seconds(30), [&done](Status status) { done.set_value(std::move(status)); });
  return future.get();
}

std::vector<client::Message> TestClient::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

client::GroupSeqs TestClient::held_groups() const {
  const std::lock_guard lock(mutex_);
  return held_groups_;
}

std::vector<client::Kick> TestClient::kicks() const {
  const std::lock_guard lock(mutex_);
  return kicks_;
}

bool TestClient::wait_messages(std::size_t count, std::chrono::milliseconds deadline) const {
  return tools::eventually([this, count] { return messages().size() >= count; }, deadline);
}

client::State TestClient::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::string TestClient::last_failure() const {
  const std::lock_guard lock(mutex_);
  return last_failure_;
}

}  // namespace hongyan::e2e
