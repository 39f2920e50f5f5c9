#include "gate/session/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>

#include "common/net/packet.h"

namespace hongyan::gate {
namespace {

// Takes at once what it has room for, and the rest when the test lets it.
class FakeTransport : public Transport {
 public:
  net::Awaitable<Result<std::string_view>> read() override { co_return fail(Code::kUnavailable, "none"); }
  std::size_t write_now(std::span<net::asio::const_buffer> buffers) override {
    std::size_t taken = 0;
    for (const auto& buffer : buffers) {
      const std::size_t size = std::min(buffer.size(), room);
      written.append(static_cast<const char*>(buffer.data()), size);
      room -= size;
      taken += size;
    }
    return taken;
  }
  net::Awaitable<Status> write(std::vector<net::asio::const_buffer> buffers) override {
    ++writes;
    if (during_write) during_write();
    if (broken) co_return fail(Code::kUnavailable, "broken");
    for (const auto& buffer : buffers) written.append(static_cast<const char*>(buffer.data()), buffer.size());
    co_return Status{};
  }
  void finish() override {}
  void close() override {}

  std::size_t room = 1 << 20;
  bool broken = false;
  std::function<void()> during_write;
  int writes = 0;
  std::string written;
};

std::string packet(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body) {
  std::string out;
  net::append_packet(out, 7, cmd_id, seq, body);
  return out;
}

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() : outbox(context, transport) { outbox.learn_version(7); }
  // Runs write_rest() to its end; the transport never waits.
  Status write_rest() {
    net::asio::io_context io;
    std::optional<Status> result;
    net::asio::co_spawn(
        io,
        [](Outbox& box, std::optional<Status>& out) -> net::Awaitable<> {
          out = co_await Outbox::write_rest(box);
        }(outbox, result),
        [](const std::exception_ptr&) {});
    io.run();
    return result.value();
  }

  Tally bytes_out;
  OutboxContext context{.max_bytes = 100, .bytes_out = bytes_out, .pool = {}, .gather = {}};
  FakeTransport transport;
  Outbox outbox;
};

TEST_F(OutboxTest, WritesWhatATurnQueuedWithTheFirstVersion) {
  outbox.learn_version(9);
  outbox.append(30, 1, "one");
  EXPECT_TRUE(outbox.wants_flush());
  outbox.append_shared(31, 0, std::make_shared<const std::string>("two"), "!");
  EXPECT_FALSE(outbox.wants_flush()) << "it was told once";
  EXPECT_EQ(outbox.flush(), Outbox::Flushed::kAll);
  EXPECT_EQ(transport.written, packet(30, 1, "one") + packet(31, 0, "two!"));
  EXPECT_EQ(bytes_out.get(), transport.written.size());
  outbox.append(30, 2, "three");
  EXPECT_TRUE(outbox.wants_flush());
}

TEST_F(OutboxTest, HasNothingToFlush) { EXPECT_EQ(outbox.flush(), Outbox::Flushed::kAll); }

TEST_F(OutboxTest, WritesTheRestWithWhatComesMeanwhile) {
  transport.room = 10;
  outbox.append(30, 1, "one");
  EXPECT_EQ(outbox.flush(), Outbox::Flushed::kRest);
  EXPECT_EQ(outbox.flush(), Outbox::Flushed::kBusy);
  transport.during_write = [this] {
    if (transport.writes > 1) return;
    outbox.append(30, 2, "two");
    EXPECT_FALSE(outbox.wants_flush()) << "who writes the rest writes it too";
  };
  EXPECT_TRUE(write_rest().has_value());
  EXPECT_EQ(transport.written, packet(30, 1, "one") + packet(30, 2, "two"));
  EXPECT_EQ(transport.writes, 2);
  EXPECT_EQ(bytes_out.get(), transport.written.size());
  outbox.append(30, 3, "three");
  EXPECT_TRUE(outbox.wants_flush());
}

TEST_F(OutboxTest, SaysThatTheConnectionIsBroken) {
  transport.room = 0;
  transport.broken = true;
  outbox.append(30, 1, "one");
  ASSERT_EQ(outbox.flush(), Outbox::Flushed::kRest);
  EXPECT_FALSE(write_rest().has_value());
  EXPECT_EQ(bytes_out.get(), 0U);
}

TEST_F(OutboxTest, CountsWhatIsBeingWrittenAndDropsOnlyWholePackets) {
  transport.room = 10;
  const std::string large(60, 'x');
  outbox.append(30, 1, large);
  EXPECT_FALSE(outbox.overflows());
  ASSERT_EQ(outbox.flush(), Outbox::Flushed::kRest);
  outbox.append(30, 2, large);
  EXPECT_TRUE(outbox.overflows());
  outbox.drop_queued();
  EXPECT_FALSE(outbox.overflows());
  outbox.append(3, 0, "kick");
  EXPECT_TRUE(write_rest().has_value());
  EXPECT_EQ(transport.written, packet(30, 1, large) + packet(3, 0, "kick"));
}

TEST_F(OutboxTest, ForgetsWhatWaitsWhenClosed) {
  transport.room = 10;
  outbox.append(30, 1, "one");
  ASSERT_EQ(outbox.flush(), Outbox::Flushed::kRest);
  transport.during_write = [this] {
    outbox.append(30, 2, "two");
    outbox.close();
  };
  EXPECT_TRUE(write_rest().has_value());
  EXPECT_EQ(transport.written, packet(30, 1, "one"));
}

}  // namespace
}  // namespace hongyan::gate
