#include "tools/chat/options.h"

#include <gtest/gtest.h>

#include <fstream>

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
  const auto options = parse({"--send",
                              "bob",
                              "--dashes are text",
                              "--upload",
                              "orders",
                              "-",
                              "--send",
                              "carol",
                              "",
                              "--send-group",
                              "12",
                              "hi @dave",
                              "--wait",
                              "0.5",
                              "--wait-count",
                              "3",
                              "--json",
                              "--from-seq",
                              "7",
                              "--pull"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_TRUE(options->scripted());
  ASSERT_EQ(options->sends.size(), 4U);
  EXPECT_EQ(std::get<client::ToUser>(options->sends[0].what).content, "--dashes are text");
  EXPECT_EQ(options->sends[1].to, "orders");
  EXPECT_EQ(std::get<client::ToService>(options->sends[1].what).destination, "orders");
  EXPECT_EQ(std::get<client::ToUser>(options->sends[2].what).content, "");
  const auto& group = std::get<client::ToGroup>(options->sends[3].what);
  EXPECT_EQ(group.group_id, 12);
  EXPECT_EQ(group.mentions, std::vector<std::string>{"dave"});
  EXPECT_EQ(options->wait_seconds, 0.5);
  EXPECT_EQ(options->wait_count, 3);
  EXPECT_EQ(options->from_seq, 7);
  EXPECT_TRUE(options->json);
  EXPECT_TRUE(options->pull);
}

TEST(ChatOptionsTest, TakesTextsFromAFile) {
  const std::string path = ::testing::TempDir() + "hongyan_chat_content";
  std::ofstream(path) << "for @erin";
  const auto options = parse({"--content-file", path, "--send", "bob", "-", "--send-group", "#12", "-",
                              "--send-group-file", "13", path, "--upload", "orders", "-"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(std::get<client::ToUser>(options->sends[0].what).content, "for @erin");
  for (const std::size_t i : {1, 2}) {
    const auto& group = std::get<client::ToGroup>(options->sends[i].what);
    EXPECT_EQ(group.content, "for @erin");
    EXPECT_EQ(group.mentions, std::vector<std::string>{"erin"});
  }
  EXPECT_EQ(std::get<client::ToService>(options->sends[3].what).content, "for @erin");
}

TEST(ChatOptionsTest, RefusesBadInput) {
  const std::vector<std::vector<std::string>> bad = {{"--nonsense", "x"},
                                                     {"--wait"},
                                                     {"--wait", "soon"},
                                                     {"--wait", "-1"},
                                                     {"--send", "bob"},
                                                     {"--gate", "nowhere"},
                                                     {"--from-seq", "1x"},
                                                     {"word", "word"},
                                                     {"--device-type", "toaster"},
                                                     {"--env", "/nonexistent"},
                                                     {"--send-group", "weekend", "hi"},
                                                     {"--sendto", "bob", "hi"}};
  for (const auto& arguments : bad) EXPECT_FALSE(parse(arguments)) << arguments[0];
  EXPECT_FALSE(parse_options({"--user", "alice"}));
  EXPECT_FALSE(parse_options({"--gate", "127.0.0.1:1", "--token", "t"}));
}

}  // namespace
}  // namespace hongyan::chat
