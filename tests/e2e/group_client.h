// Members of groups, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/test_client.h"

namespace hongyan::e2e {

// Of a desktop that has held nothing yet: the whole inbox comes.
[[nodiscard]] client::ClientOptions from_start();

using Clients = std::vector<std::unique_ptr<TestClient>>;

// Users of their own, online.
[[nodiscard]] Clients online_users(std::size_t count);
[[nodiscard]] std::vector<std::string> uids(const Clients& clients, std::size_t from = 0);

// Makes a group of these and waits until all have heard of it. 0: it failed, and the test with it.
[[nodiscard]] std::int64_t make_group(TestClient& owner, const std::vector<std::string>& members,
                                      const client::SendOptions& options = {});

// What came to a client of one group: messages, or changes of this type.
[[nodiscard]] std::vector<client::Message> texts(const TestClient& of, std::int64_t group_id);
[[nodiscard]] std::vector<client::Message> changes(const TestClient& of, std::int64_t group_id,
                                                   client::CtrlType type);
[[nodiscard]] std::vector<std::string> contents(const TestClient& of, std::int64_t group_id);

[[nodiscard]] bool wait_texts(const TestClient& of, std::int64_t group_id, std::size_t count);
[[nodiscard]] bool wait_changes(const TestClient& of, std::int64_t group_id, client::CtrlType type,
                                std::size_t count = 1);

// (group_seq, msg_id) of everything that came of the group, in the order in which it came.
[[nodiscard]] std::vector<std::pair<std::int64_t, std::int64_t>> order(const TestClient& of,
                                                                       std::int64_t group_id);

}  // namespace hongyan::e2e
