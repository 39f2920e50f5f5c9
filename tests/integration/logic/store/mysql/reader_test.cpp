#include <fmt/format.h>

#include <future>

#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using Page = Result<std::vector<logic::StoredMessage>>;

class ReaderTest : public StoreTest {
 protected:
  static Page read(Node& node, std::int64_t after, std::int64_t up_to, std::size_t limit,
                   std::size_t budget) {
    auto promise = std::make_shared<std::promise<Page>>();
    auto future = promise->get_future();
    node.shard->read_inbox({"app", "bob"}, after, up_to, limit, budget,
                           [promise](Page page) { promise->set_value(std::move(page)); });
    if (future.wait_for(kPatience) != std::future_status::ready) return fail(Code::kInternal, "no answer");
    return future.get();
  }
};

TEST_F(ReaderTest, PagesWithinLimitAndBudget) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  for (int i = 1; i <= 200; ++i)
    node.shard->submit(inbox("bob", 1000 + i, std::string(1000, static_cast<char>(i))));
  ASSERT_TRUE(node.sink.wait_for(200));
  auto all = read(node, 0, 200, 200, 1 << 20);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ((*all)[i].seq, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ((*all)[i].message.id, static_cast<MsgId>(i) + 1001);
    EXPECT_EQ(*(*all)[i].message.content, std::string(1000, static_cast<char>(i + 1)));
    EXPECT_EQ((*all)[i].message.from, "sender");
  }
  EXPECT_EQ(read(node, 0, 200, 200, 20 * all->front().page_bytes() + 10)->size(), 20U);
  EXPECT_EQ(read(node, 0, 200, 200, 10)->size(), 1U);
  EXPECT_EQ(read(node, 0, 3, 200, 1 << 20)->size(), 3U);
  EXPECT_EQ(read(node, 198, 200, 200, 1 << 20)->front().seq, 199);
  EXPECT_TRUE(read(node, 200, 200, 200, 1 << 20)->empty());
  EXPECT_EQ(read(node, 0, 200, 17, 1 << 20)->size(), 17U);
}

// What was learnt of rows' sizes is a guess: the budget holds all the same, and no page is empty or has a gap.
TEST_F(ReaderTest, PagesOfRowsWhoseSizeChanges) {
  config_.readers = 1;
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  constexpr std::int64_t kRows = 300;
  for (int i = 1; i <= kRows; ++i)
    node.shard->submit(inbox("bob", 1000 + i, std::string((i / 50) % 2 == 0 ? 10 : 30'000, 'x')));
  ASSERT_TRUE(node.sink.wait_for(kRows));
  constexpr std::size_t kBudget = 256 << 10;
  std::int64_t after = 0;
  while (after < kRows) {
    const auto page = read(node, after, kRows, 200, kBudget);
    ASSERT_TRUE(page) << page.error().message;
    ASSERT_FALSE(page->empty());
    std::size_t bytes = 0;
    for (const auto& stored : *page) {
      EXPECT_EQ(stored.seq, ++after);
      bytes += stored.page_bytes();
    }
    EXPECT_LE(bytes, kBudget);
    EXPECT_TRUE(page->size() == 200 || after == kRows || bytes + 31'000 > kBudget)
        << "a page that is not full";
  }
}

// A user's two hundred pulls delay another's by one page.
TEST_F(ReaderTest, UsersAreServedInTurn) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(inbox("bob", 1));
  ASSERT_TRUE(node.sink.wait_for(1));
  std::promise<void> queued;
  std::promise<void> all;
  std::vector<std::string> order;  // the one reader's, until all are done
  // The reader is busy with this one until the others wait.
  node.shard->read_inbox({"app", "first"}, 0, 1, 1, 1000,
                         [&queued](const Page&) { queued.get_future().wait_for(kPatience); });
  const auto read_for = [&](const std::string& uid) {
    node.shard->read_inbox({"app", uid}, 0, 1, 1, 1000, [&, uid](const Page& page) {
      EXPECT_TRUE(page);
      order.push_back(uid);
      if (order.size() == 202) all.set_value();
    });
  };
  for (int i = 0; i < 200; ++i) read_for("mallory");
  read_for("alice");
  read_for("bob");
  queued.set_value();
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ((std::vector<std::string>{order.begin(), order.begin() + 4}),
            (std::vector<std::string>{"mallory", "alice", "bob", "mallory"}));
}

// Else anybody could fill an inbox with pages that no gate takes.
TEST_F(ReaderTest, MentionsCountInThePage) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  for (int i = 1; i <= 50; ++i) {
    auto row = inbox("bob", 1000 + i, "");
    row->message.mentions = logic::share(std::string(13'000, 'm'));
    node.shard->submit(std::move(row));
  }
  ASSERT_TRUE(node.sink.wait_for(50));
  EXPECT_EQ(read(node, 0, 50, 200, 256 << 10)->size(), 19U);
}

TEST_F(ReaderTest, ReadsLargeContentsAndTheOutbox) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  std::string large(300'000, 'x');
  large[5] = '\0';
  node.shard->submit(inbox("bob", 1, large));
  node.shard->submit(outbox("bob", "c1", large));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(*read(node, 0, 1, 10, 1 << 20)->front().message.content, large);
  auto promise = std::make_shared<std::promise<Page>>();
  auto future = promise->get_future();
  node.shard->read_outbox({"app", "bob"}, 0, 1, 10, 1 << 20,
                          [promise](Page page) { promise->set_value(std::move(page)); });
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  const Page page = future.get();
  ASSERT_TRUE(page);
  EXPECT_EQ(*page->front().message.content, large);
  EXPECT_EQ(page->front().message.to, "receiver");
}

TEST_F(ReaderTest, ReadsAcceptedMessagesById) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  for (int i = 0; i < 3; ++i) node.shard->submit(outbox("bob", fmt::format("c{}", i), fmt::format("m{}", i)));
  ASSERT_TRUE(node.sink.wait_for(3));
  using Rows = Result<std::vector<logic::RedoRow>>;
  auto promise = std::make_shared<std::promise<Rows>>();
  auto future = promise->get_future();
  node.shard->read_accepted(slot_of("app", "bob"),
                            {node.sink.outbox(2).message.id, 12345, node.sink.outbox(0).message.id},
                            [promise](Rows rows) { promise->set_value(std::move(rows)); });
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  const Rows rows = future.get();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(*(*rows)[0].message.content, "m0");
  EXPECT_EQ(*(*rows)[1].message.content, "m2");
}

TEST_F(ReaderTest, RefusesWhileTheServerIsAwayAndRecovers) {
  MariadbServer server;
  use(server);
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  EXPECT_TRUE(read(node, 0, 1, 1, 1));
  server.kill_hard();
  EXPECT_EQ(read(node, 0, 1, 1, 1).error().code, Code::kUnavailable);
  server.start();
  const auto deadline = SteadyClock::now() + kPatience;
  Page page = read(node, 0, 1, 1, 1);
  while (!page && SteadyClock::now() < deadline) page = read(node, 0, 1, 1, 1);
  EXPECT_TRUE(page);
}

}  // namespace
}  // namespace hongyan::testing
