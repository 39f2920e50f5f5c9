#include "tools/chat/options.h"

#include <gtest/gtest.h>

namespace hongyan::chat {
namespace {

const std::vector<std::string> kBase = {"--user", "alice", "--gate", "127.0.0.1:7000", "--token", "t"};

Result<Options> parse(std::vector<std::string> more) {
  std::vector<std::string> all = kBase;
  all.insert(all.end(), more.begin(), more.end());
  return parse_options(all);
}

TEST(ChatOptionsTest, ReadsLinesWithoutAScript) {
  const auto options = parse({});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_FALSE(options->scripted());
  EXPECT_EQ(options->app, "default");
  ASSERT_EQ(options->gates.size(), 1U);
  EXPECT_EQ(options->gates[0].port, 7000);
}

TEST(ChatOptionsTest, TakesAScript) {
  const auto options =
      parse({"--send", "bob", "--dashes are text", "--upload", "orders", "-", "--send", "carol", "", "--wait",
             "0.5", "--wait-count", "3", "--json", "--from-seq", "7", "--pull"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_TRUE(options->scripted());
  ASSERT_EQ(options->sends.size(), 3U);
  EXPECT_EQ(options->sends[0].content, "--dashes are text");
  EXPECT_FALSE(options->sends[0].upload);
  EXPECT_EQ(options->sends[1].to, "orders");
  EXPECT_TRUE(options->sends[1].upload);
  EXPECT_EQ(options->sends[2].content, "");
  EXPECT_EQ(options->wait_seconds, 0.5);
  EXPECT_EQ(options->wait_count, 3);
  EXPECT_EQ(options->from_seq, 7);
  EXPECT_TRUE(options->json);
  EXPECT_TRUE(options->pull);
}

TEST(ChatOptionsTest, RefusesBadInput) {
  const std::vector<std::vector<std::string>> bad = {
      {"--nonsense", "x"},      {"--wait"},        {"--wait", "soon"},
      {"--wait", "-1"},         {"--send", "bob"}, {"--gate", "nowhere"},
      {"--from-seq", "1x"},     {"word", "word"},  {"--device-type", "toaster"},
      {"--env", "/nonexistent"}};
  for (const auto& arguments : bad) EXPECT_FALSE(parse(arguments)) << arguments[0];
  EXPECT_FALSE(parse_options({"--user", "alice"}));
  EXPECT_FALSE(parse_options({"--gate", "127.0.0.1:1", "--token", "t"}));
}

}  // namespace
}  // namespace hongyan::chat
