#include "tests/e2e/group_client.h"

#include <gtest/gtest.h>

namespace hongyan::e2e {

namespace {

template <typename Wanted>
std::vector<client::Message> filtered(const TestClient& of, Wanted wanted) {
  std::vector<client::Message> out;
  for (auto& message : of.messages()) {
    if (wanted(message)) out.push_back(std::move(message));
  }
  return out;
}

}  // namespace

client::ClientOptions from_start() {
  client::ClientOptions options;
  options.held_inbox = 0;
  return options;
}

Clients online_users(std::size_t count) {
  Clients clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TestClient>(tools::unique("user")));
    clients.back()->start();
  }
  for (const auto& one : clients) EXPECT_TRUE(one->wait_online()) << one->last_failure();
  return clients;
}

std::vector<std::string> uids(const Clients& clients, std::size_t from) {
  std::vector<std::string> out;
  for (std::size_t i = from; i < clients.size(); ++i) out.push_back(clients[i]->uid());
  return out;
}

std::int64_t make_group(TestClient& owner, const std::vector<std::string>& members,
                        const client::SendOptions& options) {
  const auto made = owner.group(client::create_group("a group", members), options);
  EXPECT_TRUE(made) << code_name(made.error().code) << " " << made.error().message;
  if (!made) return 0;
  const std::int64_t group_id = made->group.group().group_id();
  EXPECT_GT(group_id, 0);
  EXPECT_TRUE(wait_changes(owner, group_id, client::CTRL_TYPE_CREATE_GROUP));
  return group_id;
}

std::vector<client::Message> texts(const TestClient& of, std::int64_t group_id) {
  return filtered(of, [group_id](const client::Message& message) {
    return message.kind == client::COMMAND_C2G_SEND && message.group_id == group_id;
  });
}

std::vector<client::Message> changes(const TestClient& of, std::int64_t group_id, client::CtrlType type) {
  return filtered(of, [group_id, type](const client::Message& message) {
    return message.kind == client::COMMAND_CTRL_SEND && message.group_id == group_id &&
           message.msg_type == type;
  });
}

std::vector<std::string> contents(const TestClient& of, std::int64_t group_id) {
  std::vector<std::string> out;
  for (const auto& message : texts(of, group_id)) out.push_back(message.content);
  return out;
}

bool wait_texts(const TestClient& of, std::int64_t group_id, std::size_t count) {
  return tools::eventually([&] { return texts(of, group_id).size() >= count; }, std::chrono::seconds(30));
}

bool wait_changes(const TestClient& of, std::int64_t group_id, client::CtrlType type, std::size_t count) {
  return tools::eventually([&] { return changes(of, group_id, type).size() >= count; },
                           std::chrono::seconds(30));
}

std::vector<std::pair<std::int64_t, std::int64_t>> order(const TestClient& of, std::int64_t group_id) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  for (const auto& message : of.messages()) {
    if (message.group_id == group_id) out.emplace_back(message.group_seq, message.msg_id);
  }
  return out;
}

}  // namespace hongyan::e2e
