#include "tools/bench/options.h"

#include <gtest/gtest.h>

namespace hongyan::bench {
namespace {

std::expected<Arguments, Usage> parse(std::vector<std::string> words, bool terminal = false) {
  return parse_arguments(std::move(words), terminal);
}

bool progress_of(const std::expected<Arguments, Usage>& arguments) {
  return std::get<C2cOptions>(arguments.value().bench).load.progress;
}

TEST(BenchOptionsTest, C2cHasDefaults) {
  const auto arguments = parse({"c2c", "--env", "file"});
  ASSERT_TRUE(arguments) << arguments.error().text;
  EXPECT_EQ(arguments->env, "file");
  EXPECT_FALSE(arguments->json);
  const auto& options = std::get<C2cOptions>(arguments->bench);
  EXPECT_EQ(options.pairs, 50);
  EXPECT_EQ(options.load.window, 8U);
  EXPECT_EQ(options.load.rate, 0);
}

TEST(BenchOptionsTest, C2cTakesAll) {
  const auto arguments = parse({"c2c", "--env", "file", "--pairs", "3", "--window", "2", "--size", "7",
                                "--seconds", "1.5", "--warmup", "0", "--loops", "2", "--json"});
  ASSERT_TRUE(arguments) << arguments.error().text;
  EXPECT_TRUE(arguments->json);
  const auto& options = std::get<C2cOptions>(arguments->bench);
  EXPECT_EQ(options.pairs, 3);
  EXPECT_EQ(options.load.window, 2U);
  EXPECT_EQ(options.load.size, 7U);
  EXPECT_EQ(options.load.seconds, 1.5);
  EXPECT_EQ(options.load.warm_up_seconds, 0);
  EXPECT_EQ(options.load.loops, 2);
}

TEST(BenchOptionsTest, AnOpenLoopHasAWiderWindow) {
  const auto wide = parse({"c2c", "--env", "f", "--rate", "100"});
  ASSERT_TRUE(wide);
  EXPECT_EQ(std::get<C2cOptions>(wide->bench).load.window, 64U);
  const auto told = parse({"c2c", "--env", "f", "--rate", "100", "--window", "4"});
  ASSERT_TRUE(told);
  EXPECT_EQ(std::get<C2cOptions>(told->bench).load.window, 4U);
}

TEST(BenchOptionsTest, ProgressIsForTerminalsUnlessTold) {
  EXPECT_FALSE(progress_of(parse({"c2c", "--env", "f"})));
  EXPECT_TRUE(progress_of(parse({"c2c", "--env", "f"}, true)));
  EXPECT_FALSE(progress_of(parse({"c2c", "--env", "f", "--quiet"}, true)));
  EXPECT_TRUE(progress_of(parse({"c2c", "--env", "f", "--progress"})));
}

TEST(BenchOptionsTest, EachBenchHasItsOwnOptions) {
  const auto group = parse({"group", "--env", "f", "--groups", "2", "--members", "10000", "--senders", "3"});
  ASSERT_TRUE(group) << group.error().text;
  EXPECT_EQ(std::get<GroupOptions>(group->bench).groups, 2);
  EXPECT_EQ(std::get<GroupOptions>(group->bench).members, 10'000);
  EXPECT_EQ(std::get<GroupOptions>(group->bench).senders, 3);
  EXPECT_EQ(std::get<GroupOptions>(group->bench).load.window, 8U);
  const auto login = parse({"login", "--env", "f", "--connections", "7", "--users", "9"});
  ASSERT_TRUE(login) << login.error().text;
  EXPECT_EQ(std::get<LoginOptions>(login->bench).connections, 7);
  EXPECT_EQ(std::get<LoginOptions>(login->bench).users, 9);
  const auto idle = parse({"idle", "--env", "f", "--connections", "15000", "--heartbeat", "2.5"});
  ASSERT_TRUE(idle) << idle.error().text;
  EXPECT_EQ(std::get<IdleOptions>(idle->bench).connections, 15'000);
  EXPECT_EQ(std::get<IdleOptions>(idle->bench).heartbeat, 2.5);
  const auto pull = parse({"pull", "--env", "f", "--messages", "100", "--devices", "5", "--reuse", "abc"});
  ASSERT_TRUE(pull) << pull.error().text;
  EXPECT_EQ(std::get<PullOptions>(pull->bench).messages, 100);
  EXPECT_EQ(std::get<PullOptions>(pull->bench).devices, 5);
  EXPECT_EQ(std::get<PullOptions>(pull->bench).reuse, "abc");
  const auto c2s = parse({"c2s", "--env", "f", "--users", "4", "--rate", "10"});
  ASSERT_TRUE(c2s) << c2s.error().text;
  EXPECT_EQ(std::get<C2sOptions>(c2s->bench).users, 4);
  EXPECT_EQ(std::get<C2sOptions>(c2s->bench).load.window, 64U);
  EXPECT_EQ(std::get<C2sOptions>(c2s->bench).destination, "orders");
  const auto s2c = parse({"s2c", "--env", "f", "--services", "3", "--targets", "2"});
  ASSERT_TRUE(s2c) << s2c.error().text;
  EXPECT_EQ(std::get<S2cOptions>(s2c->bench).services, 3);
  EXPECT_EQ(std::get<S2cOptions>(s2c->bench).targets, 2);
  EXPECT_EQ(std::get<S2cOptions>(s2c->bench).load.window, 1U);
  const auto rows = parse({"rows", "--env", "f", "--seconds", "1"});
  ASSERT_TRUE(rows) << rows.error().text;
  EXPECT_EQ(std::get<RowsOptions>(rows->bench).seconds, 1);
}

TEST(BenchOptionsTest, RefusesBadInput) {
  const std::vector<std::vector<std::string>> bad = {{},
                                                     {"--env", "f"},
                                                     {"c2c"},
                                                     {"nonsense", "--env", "f"},
                                                     {"c2c", "--env", "f", "--pairs", "0"},
                                                     {"c2c", "--env", "f", "--pairs", "many"},
                                                     {"c2c", "--env", "f", "--pairs", "3x"},
                                                     {"c2c", "--env", "f", "--window", "-1"},
                                                     {"c2c", "--env", "f", "--size", "3"},
                                                     {"c2c", "--env", "f", "--seconds", "0"},
                                                     {"c2c", "--env", "f", "--rate", "-5"},
                                                     {"c2c", "--env", "f", "--nonsense"},
                                                     {"c2c", "--env", "f", "word"},
                                                     {"pull", "--env", "f", "--devices", "6"},
                                                     {"login", "--env", "f", "--pairs", "1"},
                                                     {"idle", "--env", "f", "--connections", "0"},
                                                     {"c2c", "--env"}};
  for (const auto& words : bad) {
    const auto arguments = parse(words);
    ASSERT_FALSE(arguments) << testing::PrintToString(words);
    EXPECT_EQ(arguments.error().status, 2);
    EXPECT_FALSE(arguments.error().text.empty());
  }
}

TEST(BenchOptionsTest, HelpIsNoError) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"}, {"c2c", "--help"}}) {
    const auto arguments = parse(words);
    ASSERT_FALSE(arguments);
    EXPECT_EQ(arguments.error().status, 0);
    EXPECT_NE(arguments.error().text.find("c2c"), std::string::npos);
  }
}

}  // namespace
}  // namespace hongyan::bench
