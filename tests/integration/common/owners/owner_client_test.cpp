// Requests to fake owners over real links on loopback.
#include "common/owners/owner_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "tests/support/fake_logic.h"
#include "tests/support/run_on.h"

namespace hongyan::owners {
namespace {

using test::FakeLogic;

constexpr std::uint32_t kCommand = 30;

// Notes what happens, in its order; a request's channel says who asks.
class OwnerClientTest : public ::testing::Test, private OwnerUser {
 protected:
  OwnerClientTest() { loop_.start(); }
  // Before the destructor begins: until then this is who the loop calls.
  void TearDown() override {
    loop_.post([this] { owners_.stop(); });
    loop_.stop();
    loop_.join();
  }

  void know(const std::vector<const FakeLogic*>& nodes) {
    loop_.post([this, members = test::members_of(nodes)] { owners_.set_nodes(members); });
  }
  void submit(std::uint64_t channel, Slot slot) {
    loop_.post([this, channel, slot] {
      const Status taken = owners_.submit(
          {.channel = channel, .slot = slot, .cmd_id = kCommand, .is_send = true, .body = "body"},
          SteadyClock::now());
      note(taken ? "submitted" : "refused");
    });
  }
  [[nodiscard]] bool happened(const std::string& event) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, test::kPatience,
                             [&] { return std::ranges::find(events_, event) != events_.end(); });
  }
  [[nodiscard]] std::vector<std::string> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  void note(std::string event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_all();
  }
  Sent send(NodeId node, const Request& request) override {
    if (request.channel == 0) return Sent::kGone;
    link::ClientRequest envelope;
    envelope.set_cmd_id(request.cmd_id);
    envelope.set_channel(request.channel);
    note("send");
    return owners_.send(node, request, envelope);
  }
  void answered(const Request& request, const Answer& answer) override {
    note("answered " + std::to_string(request.channel) + " " + std::string(answer.body));
  }
  void refused(const Request& request, const Error& error) override {
    note("refused " + std::to_string(request.channel) + " " + std::string(code_name(error.code)));
  }
  void on_announced(NodeId node, link::Link& link, std::uint64_t, const SlotSet&) override {
    note("announced by " + link.peer().node_id + (owners_.link_of(node) == &link ? "" : ", a stranger"));
  }
  void on_node_down(NodeId) override { note("down"); }
  void on_packet(link::Link&, const link::LinkPacket& packet) override {
    note("packet " + std::to_string(packet.command) + " " + std::string(packet.payload));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;

  link::Identity identity_{
      .role = link::ROLE_GATE, .node_id = "gate-9", .boot_id = 9, .secret = test::kClusterSecret};

 protected:
  net::EventLoop loop_{"owners"};
  OwnerClient owners_{loop_, identity_, *this, {.name = "test", .router = {}, .link = {}}};
};

TEST_F(OwnerClientTest, TellsOfTheOwnerBeforeWhatWaitsGoesToIt) {
  submit(1, 42);
  ASSERT_TRUE(happened("submitted"));
  FakeLogic owner;
  owner.own(0, kSlotCount - 1, 5);
  know({&owner});
  ASSERT_TRUE(happened("answered 1 OK"));
  EXPECT_EQ(events(),
            (std::vector<std::string>{"submitted", "announced by logic-1", "send", "answered 1 OK"}));
  EXPECT_EQ(owner.take_request(kCommand).slot, 42U);
}

TEST_F(OwnerClientTest, HandsOnWhatItDoesNotKnowInOrder) {
  FakeLogic owner;
  owner.answer_with([](FakeLogic& logic, const test::LogicPacket& packet) {
    logic.push(packet.link, {1}, "before");
    logic.respond(packet, "OK");
    logic.kick(packet.link, 1, "after");
  });
  owner.own(0, kSlotCount - 1, 5);
  know({&owner});
  submit(1, 42);
  ASSERT_TRUE(happened("packet 21 after"));
  auto seen = events();
  seen.erase(seen.begin(), std::ranges::find(seen, "packet 20 before"));
  EXPECT_EQ(seen, (std::vector<std::string>{"packet 20 before", "answered 1 OK", "packet 21 after"}));
}

TEST_F(OwnerClientTest, ClosesTheLinkOfWhoSpeaksNonsense) {
  FakeLogic owner;
  owner.own(0, kSlotCount, 5);  // one too many
  know({&owner});
  EXPECT_TRUE(happened("down"));
  EXPECT_EQ(std::ranges::count(events(), "announced by logic-1"), 0);
}

TEST_F(OwnerClientTest, SendsAgainToTheNextOwner) {
  FakeLogic first;
  FakeLogic second("logic-2");
  first.answer_with([](FakeLogic&, const test::LogicPacket& packet) { packet.link->close("it dies"); });
  first.own(0, kSlotCount - 1, 5);
  second.own_nothing();
  know({&first, &second});
  ASSERT_TRUE(happened("announced by logic-1"));
  ASSERT_TRUE(happened("announced by logic-2"));
  submit(7, 42);
  ASSERT_TRUE(happened("down"));
  second.own(0, kSlotCount - 1, 6);
  EXPECT_TRUE(happened("answered 7 OK"));
}

}  // namespace
}  // namespace hongyan::owners
