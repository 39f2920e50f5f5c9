#include "logic/message/gate_pushes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace {
std::size_t allocations = 0;
}  // namespace

// ThreadSanitizer has these itself: nothing is counted there.
#if !__has_feature(thread_sanitizer)
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace hongyan::logic {
namespace {

class CountingGate : public GatePort {
 public:
  explicit CountingGate(std::uint64_t boot) : GatePort("gate", boot) { channels.reserve(8192); }
  [[nodiscard]] bool is_open() const noexcept override { return open; }
  void respond(std::uint32_t, const GateReply&) override {}
  void respond_not_owner(std::uint32_t, Slot, std::uint64_t) override {}
  bool push(Slot, std::uint32_t, std::span<const std::uint64_t> to, std::string_view,
            const PushSeqs& with) override {
    if (!open) return false;
    ++packets;
    channels.insert(channels.end(), to.begin(), to.end());
    if (!with.of_channels.empty()) seqs.assign(with.of_channels.begin(), with.of_channels.end());
    return true;
  }
  bool kick(std::uint64_t, std::string_view) override { return open; }

  bool open = true;
  int packets = 0;
  std::vector<std::uint64_t> channels;
  std::vector<std::int64_t> seqs;
};
using Gates = std::vector<std::shared_ptr<CountingGate>>;

class GatePushesTest : public ::testing::Test {
 protected:
  static Gates gates(std::size_t count) {
    Gates out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(std::make_shared<CountingGate>(i));
    return out;
  }
  // Sessions spread over the gates by turns, numbered and with channels from 1.
  static std::vector<Session> sessions(const Gates& gates, std::size_t count) {
    std::vector<Session> out(count);
    for (std::size_t i = 0; i < count; ++i) {
      out[i].number = out[i].channel = i + 1;
      out[i].gate = gates[i % gates.size()];
    }
    return out;
  }
  void send(std::uint32_t seq_field = 0) {
    pushes_.send(counters_, 1, "body", seq_field, [this](std::uint64_t number) { lost_.push_back(number); });
  }

  GatePushes pushes_;
  PipelineCounters counters_;
  std::vector<std::uint64_t> lost_;
};

TEST_F(GatePushesTest, EachOfManyGatesGetsOnePacketForItsOwn) {
  const auto all = gates(500);
  const auto online = sessions(all, 2000);
  for (const auto& session : online) pushes_.add(session, 0);
  send();
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i]->packets, 1);
    EXPECT_EQ(all[i]->channels, (std::vector<std::uint64_t>{i + 1, i + 501, i + 1001, i + 1501}));
  }
  EXPECT_EQ(counters_.pushed.get(), 2000U);
}

TEST_F(GatePushesTest, WhatWasSentIsNotSentAgain) {
  const auto all = gates(3);
  const auto online = sessions(all, 6);
  for (const auto& session : online) pushes_.add(session, 0);
  send();
  pushes_.add(online[1], 0);
  send();
  send();
  EXPECT_EQ(all[0]->channels, (std::vector<std::uint64_t>{1, 4}));
  EXPECT_EQ(all[1]->channels, (std::vector<std::uint64_t>{2, 5, 2}));
  EXPECT_EQ(all[2]->channels, (std::vector<std::uint64_t>{3, 6}));
}

TEST_F(GatePushesTest, GatesComeAndGoBetweenBodies) {
  auto all = gates(4);
  auto online = sessions(all, 4);
  for (const auto& session : online) pushes_.add(session, 0);
  send();
  // New ones, which have the numbers of those that went.
  online.clear();
  all.clear();
  all = gates(4);
  online = sessions(all, 4);
  std::ranges::reverse(online);
  for (const auto& session : online) pushes_.add(session, 0);
  send();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(all[i]->channels, std::vector<std::uint64_t>{i + 1});
}

TEST_F(GatePushesTest, KeepsNoGateAlive) {
  auto all = gates(1);
  auto online = sessions(all, 1);
  pushes_.add(online[0], 0);
  send();
  const std::weak_ptr<CountingGate> gate = all[0];
  online.clear();
  all.clear();
  EXPECT_TRUE(gate.expired());
}

TEST_F(GatePushesTest, SessionsOfAGateThatTakesNothingAreTold) {
  const auto all = gates(2);
  const auto online = sessions(all, 4);
  all[1]->open = false;
  for (const auto& session : online) pushes_.add(session, 0);
  send();
  EXPECT_EQ(lost_, (std::vector<std::uint64_t>{2, 4}));
  EXPECT_EQ(counters_.pushed.get(), 2U);
}

TEST_F(GatePushesTest, EachSessionHasItsSeqWhenTheFieldIsNamed) {
  const auto all = gates(1);
  const auto online = sessions(all, 2);
  pushes_.add(online[0], 0, 70);
  pushes_.add(online[1], 0, 80);
  send(5);
  EXPECT_EQ(all[0]->seqs, (std::vector<std::int64_t>{70, 80}));
}

TEST_F(GatePushesTest, ABodyForManyOfOneGateGoesInSeveralPackets) {
  const auto all = gates(1);
  const auto online = sessions(all, 2500);
  for (const auto& session : online) pushes_.add(session, 0);
  send();
  EXPECT_EQ(all[0]->packets, 3);
  EXPECT_EQ(all[0]->channels.size(), 2500U);
  EXPECT_EQ(all[0]->channels.back(), 2500U);
}

TEST_F(GatePushesTest, TheNextBodyTakesNoMemory) {
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "allocations are the sanitizer's";
#endif
  const auto all = gates(300);
  const auto online = sessions(all, 3000);
  for (const auto& session : online) pushes_.add(session, 0);
  send();
  const std::size_t before = allocations;
  ASSERT_GT(before, 0U);
  for (int body = 0; body < 5; ++body) {
    for (const auto& session : online) pushes_.add(session, 0);
    send();
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(all[0]->channels.size(), 60U);
}

}  // namespace
}  // namespace hongyan::logic
