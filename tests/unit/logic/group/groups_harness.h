// Groups on the pipeline, for tests: commands, messages, and what came of them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "logic/message/group_key.h"
#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {

class GroupsHarness : public PipelineHarness {
 protected:
  GroupsHarness() { acquire(); }

  void ctrl(std::uint32_t seq, std::string_view from, client::CtrlType type, std::int64_t group_id,
            std::vector<std::string> members = {}, std::string_view id = {}, std::string_view owner = {}) {
    client::GroupOp op;
    op.set_name("friends");
    if (!owner.empty()) op.set_owner(std::string(owner));
    for (auto& uid : members) op.add_members(std::move(uid));
    client::CtrlSendReq body;
    body.set_type(type);
    if (group_id != 0) body.set_to(std::to_string(group_id));
    body.set_content(op.SerializeAsString());
    body.set_client_msg_id(id.empty() ? "ctrl-" + std::to_string(seq) : std::string(id));
    request(gate_, seq, from, client::COMMAND_CTRL_SEND, body.SerializeAsString());
  }
  client::GroupOpResult result_of(std::uint32_t seq) {
    client::GroupOpResult result;
    const auto response = body_of<client::CtrlSendResp>(seq);
    EXPECT_FALSE(response.has_error()) << response.error().message();
    EXPECT_TRUE(result.ParseFromString(response.content()));
    return result;
  }
  client::ErrorCode error_of(std::uint32_t seq) { return body_of<client::ErrorOnly>(seq).error().code(); }

  std::int64_t create(std::string_view owner, std::vector<std::string> members) {
    const std::uint32_t seq = next_++;
    ctrl(seq, owner, client::CTRL_TYPE_CREATE_GROUP, 0, std::move(members));
    settle();
    return result_of(seq).group().group_id();
  }
  void send_to_group(std::uint32_t seq, std::string_view from, std::int64_t group_id,
                     std::string_view content, std::string_view id = {}) {
    client::C2GSendReq body;
    body.set_group_id(group_id);
    body.set_content(std::string(content));
    body.set_client_msg_id(id.empty() ? "msg-" + std::to_string(seq) : std::string(id));
    body.add_mentions("bob");
    request(gate_, seq, from, client::COMMAND_C2G_SEND, body.SerializeAsString());
  }
  // Contents of the group's messages in an inbox, commands as "#".
  std::vector<std::string> inbox(std::string_view uid) {
    std::vector<std::string> out;
    for (const auto& row : shard_of(uid).inbox[{"demo", std::string(uid)}]) {
      out.push_back(row.cmd_id == client::COMMAND_CTRL_SEND ? "#" : row.content);
    }
    return out;
  }
  MemoryShard::StoredGroup& stored(std::int64_t group_id) {
    return shards_[shard_set_.index_of(slot_of_group("demo", group_id))].groups[{"demo", group_id}];
  }
  // Groups that the owners have in memory.
  std::int64_t held() {
    pass(Milliseconds(0));
    std::int64_t sum = 0;
    for (const auto& one : counters_) sum += one.groups.load();
    return sum;
  }
  client::PullResp pull(std::uint32_t seq, std::string_view uid, std::int64_t offset,
                        std::vector<std::pair<std::int64_t, std::int64_t>> groups = {},
                        std::int32_t limit = 200) {
    client::PullReq body;
    body.set_offset(offset);
    body.set_outbox_offset(-1);
    body.set_limit(limit);
    for (const auto& [id, from] : groups) {
      auto& group = *body.add_groups();
      group.set_group_id(id);
      group.set_offset(from);
    }
    request(gate_, seq, uid, client::COMMAND_PULL, body.SerializeAsString(), channel_of(uid));
    settle();
    return body_of<client::PullResp>(seq);
  }
  std::uint64_t channel_of(std::string_view uid) { return std::hash<std::string_view>()(uid) | 1; }
  void come_online(std::string_view uid) {
    login(next_++, uid, channel_of(uid));
    settle();
  }
  std::vector<FakeGate::Pushed> pushes_to(std::string_view uid) {
    std::vector<FakeGate::Pushed> out;
    for (const auto& push : gate_->pushes) {
      if (push.channel == channel_of(uid)) out.push_back(push);
    }
    return out;
  }
  // A slot of the other shard than the group's.
  std::string member_elsewhere(std::int64_t group_id) {
    for (int i = 0;; ++i) {
      std::string uid = "far" + std::to_string(i);
      if (&shard_of(uid) != &shards_[shard_set_.index_of(slot_of_group("demo", group_id))]) return uid;
    }
  }
  struct Apart {
    std::int64_t group = 0;
    std::string sender;
    std::string far;
  };
  // A new group, its owner, and somebody with whose shard neither the owner nor the group has to do.
  Apart apart() {
    Apart made;
    for (int i = 0; made.sender.empty() || &shard_of(made.sender) == &shard_of(made.far); ++i) {
      made.sender = "sender" + std::to_string(i);
      made.group = create(made.sender, {});
      made.far = member_elsewhere(made.group);
    }
    return made;
  }
  std::vector<GroupRedoRow> placed_rows(std::int64_t group_id) {
    std::vector<GroupRedoRow> out;
    for (const auto& row : stored(group_id).rows) {
      out.push_back({.app_id = "demo", .slot = slot_of_group("demo", group_id), .row = row});
    }
    return out;
  }

  std::uint32_t next_ = 1000;
};

}  // namespace hongyan::logic
