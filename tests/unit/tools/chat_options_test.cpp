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

TEST(ChatOptionsTest, KeepsTheOrderOfSendsAndTheirBytes) {
  const std::string path = ::testing::TempDir() + "hongyan_chat_order";
  std::ofstream(path) << "file";
  const auto options = parse({"--upload", "a", "[x,y]", "--send-file", "b", path, "--send", "c", "{}",
                              "--send-group", "4", "--", "--send", "e", "%%"});
  ASSERT_TRUE(options) << options.error().message;
  std::string order;
  for (const auto& send : options->sends) order += send.to + " ";
  EXPECT_EQ(order, "a b c #4 e ");
  EXPECT_EQ(std::get<client::ToService>(options->sends[0].what).content, "[x,y]");
  EXPECT_EQ(std::get<client::ToUser>(options->sends[1].what).content, "file");
  EXPECT_EQ(std::get<client::ToUser>(options->sends[2].what).content, "{}");
  EXPECT_EQ(std::get<client::ToGroup>(options->sends[3].what).content, "--");
  EXPECT_EQ(std::get<client::ToUser>(options->sends[4].what).content, "%%");
}

TEST(ChatOptionsTest, TakesWhoAndWhere) {
  const auto options = parse({"--gate", "[::1]:7001", "--iplist", "http://a", "--iplist", "http://b", "--app",
                              "demo", "--device", "-d", "--device-type", "ios", "--ws"});
  ASSERT_TRUE(options) << options.error().message;
  ASSERT_EQ(options->gates.size(), 2U);
  EXPECT_EQ(options->gates[1].host, "::1");
  EXPECT_EQ(options->iplist, (std::vector<std::string>{"http://a", "http://b"}));
  EXPECT_EQ(options->app, "demo");
  EXPECT_EQ(options->device, "-d");
  EXPECT_EQ(options->device_type, client::DEVICE_TYPE_IOS);
  EXPECT_EQ(options->transport, client::TransportKind::kWs);
}

TEST(ChatOptionsTest, HelpNamesEveryOption) {
  const auto options = parse_options({"--help"});
  ASSERT_TRUE(options);
  for (const char* name : {"--env",         "--iplist",      "--gate",
                           "--tls",         "--ws",          "--ca",
                           "--api",         "--api-key",     "--token",
                           "--user",        "--app",         "--device",
                           "--device-type", "--from-seq",    "--send",
                           "--send-file",   "--send-group",  "--send-group-file",
                           "--upload",      "--upload-file", "--content-file",
                           "--pull",        "--wait",        "--wait-count",
                           "--timeout",     "--json",        "--quiet",
                           "--verbose",     "Exit status"}) {
    EXPECT_NE(options->help.find(name), std::string::npos) << name;
  }
}

TEST(ChatOptionsTest, SaysWhatIsWrong) {
  const auto said = [](std::vector<std::string> arguments) {
    return parse(std::move(arguments)).error().message;
  };
  EXPECT_EQ(said({"--gate", "nowhere"}), "--gate: not an endpoint, write \"host:port\"");
  EXPECT_EQ(said({"--gate", "host:0"}), "--gate: a gate listens on a port from 1 to 65535");
  EXPECT_EQ(said({"--send-file", "bob", "/nonexistent"}), "--send-file: cannot read /nonexistent");
  EXPECT_NE(said({"--wait", "soon"}).find("soon"), std::string::npos);
  EXPECT_NE(said({"--nonsense", "x"}).find("--nonsense"), std::string::npos);
  EXPECT_NE(said({"--send", "bob"}).find("--send"), std::string::npos);
  EXPECT_EQ(parse_options({"--gate", "a:1", "--token", "t"}).error().message, "--user NAME is required");
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
