#include "gate/session/output_queue.h"

#include <gtest/gtest.h>

#include "common/net/packet.h"

namespace hongyan::gate {
namespace {

std::string gathered(const OutputQueue& queue) {
  std::vector<net::asio::const_buffer> buffers;
  queue.gather(buffers);
  std::string out;
  for (const auto& buffer : buffers) out.append(static_cast<const char*>(buffer.data()), buffer.size());
  return out;
}

std::string expected_stream() {
  std::string out;
  net::append_packet(out, 200, 31, 0, "one");
  net::append_packet(out, 200, 31, 0, std::string(1000, 's'));
  net::append_packet(out, 200, 30, 5, "two");
  net::append_packet(out, 200, 31, 0, std::string(1000, 's'));
  return out;
}

OutputQueue full_queue() {
  OutputQueue queue;
  const auto shared = std::make_shared<const std::string>(1000, 's');
  queue.append(200, 31, 0, "one");
  queue.append_shared(200, 31, 0, shared);
  queue.append(200, 30, 5, "two");
  queue.append_shared(200, 31, 0, shared);
  return queue;
}

TEST(OutputQueueTest, KeepsTheOrderOfOwnAndSharedBodies) {
  const OutputQueue queue = full_queue();
  EXPECT_EQ(gathered(queue), expected_stream());
  EXPECT_EQ(queue.bytes(), expected_stream().size());
}

TEST(OutputQueueTest, ConsumesAtEveryByte) {
  const std::string stream = expected_stream();
  for (std::size_t cut = 0; cut < stream.size(); ++cut) {
    OutputQueue queue = full_queue();
    queue.consume(cut);
    ASSERT_EQ(gathered(queue), stream.substr(cut)) << cut;
    ASSERT_EQ(queue.bytes(), stream.size() - cut);
    queue.append(200, 6, 9, "");
    ASSERT_EQ(gathered(queue).size(), stream.size() - cut + net::kHeaderSize);
  }
  OutputQueue queue = full_queue();
  queue.consume(stream.size());
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(gathered(queue), "");
}

TEST(OutputPoolTest, GivesBackEmptyQueues) {
  OutputPool pool;
  auto queue = pool.take();
  queue->append(200, 31, 0, "one");
  pool.give_back(std::move(queue));
  EXPECT_TRUE(pool.take()->empty());
}

}  // namespace
}  // namespace hongyan::gate
