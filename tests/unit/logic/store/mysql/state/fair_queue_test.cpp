#include "logic/store/mysql/state/fair_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace hongyan::logic {
namespace {

// Everything, in the order in which it comes out.
std::string drain(FairQueue<int>& queue) {
  std::string out;
  while (!queue.empty()) out += std::to_string(queue.pop()) + " ";
  return out;
}

void push(FairQueue<int>& queue, const std::string& asker, int job) { ASSERT_TRUE(queue.push(asker, job)); }

TEST(FairQueueTest, WhoHasManyDelaysAnotherByOne) {
  FairQueue<int> queue(5000, 2000);
  for (int i = 0; i < 1000; ++i) push(queue, "mallory", i);
  push(queue, "alice", 5001);
  push(queue, "bob", 6001);
  push(queue, "alice", 5002);
  EXPECT_EQ(queue.size(), 1003U);
  EXPECT_EQ(queue.pop(), 0);
  EXPECT_EQ(queue.pop(), 5001);
  EXPECT_EQ(queue.pop(), 6001);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 5002);
  EXPECT_EQ(queue.pop(), 2);
  // Who comes again is no earlier for that.
  push(queue, "alice", 5003);
  EXPECT_EQ(queue.pop(), 3);
  EXPECT_EQ(queue.pop(), 5003);
}

TEST(FairQueueTest, OneAskersKeepTheirOrder) {
  FairQueue<int> queue(100, 100);
  for (int i = 1; i <= 3; ++i) {
    push(queue, "a", i);
    push(queue, "b", 10 + i);
  }
  EXPECT_EQ(drain(queue), "1 11 2 12 3 13 ");
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueueTest, IsBoundedInAllAndOfOne) {
  FairQueue<int> queue(3, 2);
  int job = 7;
  push(queue, "a", 1);
  push(queue, "a", 2);
  EXPECT_FALSE(queue.push("a", job));
  push(queue, "b", 3);
  EXPECT_FALSE(queue.push("c", job));
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(drain(queue), "1 3 2 ");
  push(queue, "c", 4);
  EXPECT_EQ(drain(queue), "4 ");
}

TEST(FairQueueTest, AJobThatIsNotTakenIsLeftAsItWas) {
  FairQueue<std::unique_ptr<int>> queue(1, 1);
  auto one = std::make_unique<int>(1);
  auto other = std::make_unique<int>(2);
  EXPECT_TRUE(queue.push("a", one));
  EXPECT_FALSE(queue.push("b", other));
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(*queue.pop(), 1);
}

}  // namespace
}  // namespace hongyan::logic
