// A user who was away for long: all of it comes, page by page, and logic's memory does not grow with it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "common/base/slot.h"
#include "tests/e2e/gate_client.h"
#include "tools/support/cluster.h"

namespace hongyan::e2e {
namespace {

constexpr std::int64_t kMessages = 100'000;
constexpr std::int32_t kPage = 200;
constexpr std::size_t kMostGrowthMib = 64;  // all contents together are more

std::size_t logic_rss_mib() {
  std::ifstream status(fmt::format("/proc/{}/status", tools::Cluster::get().members()["logic-1"]));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) / 1024;
  }
  ADD_FAILURE() << "no VmRSS of logic-1";
  return 0;
}

// Messages of 1000 bytes, as if they had come while logic did not know the user.
void fill_inbox(const std::string& uid) {
  const tools::Cluster& cluster = tools::Cluster::get();
  static_cast<void>(cluster.sql(
      slot_of(cluster.app(), uid) / (kSlotCount / cluster.shards()),
      fmt::format(
          "INSERT INTO im_message_receive (app_id, msg_to, msg_seq, msg_id, cmd_id, msg_type, group_id, "
          "group_seq, send_time, msg_from, client_msg_id, msg_content) SELECT '{}', '{}', seq, seq, 30, 0, "
          "0, "
          "0, 1700000000000, 'alice', CONCAT('c', seq), RPAD(seq, 1000, '.') FROM seq_1_to_{}",
          cluster.app(), uid, kMessages)));
}

// One device's way through the inbox, up to a message.
struct Device {
  std::size_t gate;
  client::DeviceType type;
  std::int64_t until;
  std::int64_t held = 0;
  std::string failure = {};

  void drain(const std::string& uid, const std::string& token) {
    GateClient raw(gate);
    const auto auth = raw.login(uid, token, type);
    if (auth.has_error() || auth.inbox_seq() != kMessages) {
      failure = fmt::format("login: {} inbox_seq={}", auth.error().message(), auth.inbox_seq());
      return;
    }
    for (std::uint32_t seq = 10; held < until && failure.empty(); ++seq) take_page(raw, seq);
    if (failure.empty()) raw.ack(held);
  }

  void take_page(GateClient& raw, std::uint32_t seq) {
    client::PullReq pull;
    pull.set_offset(held);
    pull.set_limit(kPage);
    pull.set_outbox_offset(-1);
    raw.send(client::COMMAND_PULL, seq, pull.SerializeAsString());
    auto packet = raw.read();
    while (packet && packet->header.seq != seq) packet = raw.read();
    client::PullResp page;
    if (!packet || !page.ParseFromString(packet->body) || page.has_error() || page.msg().empty()) {
      failure = fmt::format("no page after {}: {}", held, page.error().message());
      return;
    }
    for (const auto& message : page.msg()) {
      const auto number = std::to_string(message.seq());
      if (message.seq() != ++held || message.content() != number + std::string(1000 - number.size(), '.')) {
        failure = fmt::format("wrong message {} at {}", message.seq(), held);
        return;
      }
    }
  }
};

TEST(HeavyUserTest, DrainsInBoundedMemoryOnTwoDevicesIndependently) {
  const std::string uid = tools::unique("heavy");
  const std::string token = tools::Cluster::get().token(uid);
  fill_inbox(uid);
  const std::size_t before = logic_rss_mib();
  Device phone{.gate = 0, .type = client::DEVICE_TYPE_IOS, .until = kMessages};
  Device page{.gate = 1, .type = client::DEVICE_TYPE_WEB, .until = kMessages / 2};
  std::thread other([&] { page.drain(uid, token); });
  phone.drain(uid, token);
  other.join();
  EXPECT_EQ(phone.failure, "");
  EXPECT_EQ(page.failure, "");
  const std::size_t after = logic_rss_mib();
  fmt::print("rss before={} MiB after={} MiB\n", before, after);
  if (!tools::kSanitized) EXPECT_LT(after, before + kMostGrowthMib);
  EXPECT_EQ(GateClient(0).login(uid, token, client::DEVICE_TYPE_IOS).acked_inbox_seq(), kMessages);
  EXPECT_EQ(GateClient(1).login(uid, token, client::DEVICE_TYPE_WEB).acked_inbox_seq(), page.held);
}

}  // namespace
}  // namespace hongyan::e2e
