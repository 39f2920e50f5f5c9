#include "common/protocol/commands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <string>

namespace hongyan::protocol {
namespace {

template <typename Visit>
void for_each_of(const google::protobuf::EnumDescriptor& numbers, Visit visit) {
  for (int i = 0; i < numbers.value_count(); ++i) {
    const auto& value = *numbers.value(i);
    const bool marker = value.name() == "COMMAND_NONE" || value.name() == "COMMAND_FIRST";
    if (!marker)
      visit(static_cast<std::uint32_t>(value.number()), value.name().substr(sizeof("COMMAND_") - 1));
  }
}

struct Documented {
  std::string name;
  std::string from;
};

// The rows of the table "Commands" of docs/protocol.md, by number.
std::map<std::uint32_t, Documented> documented() {
  std::ifstream file(HONGYAN_SOURCE_DIR "/docs/protocol.md");
  std::map<std::uint32_t, Documented> rows;
  const std::regex row(R"(\| (\d+) \| ([^|]+) \| (client|server) \|.*)");
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (!std::regex_match(line, match, row)) continue;
    rows[static_cast<std::uint32_t>(std::stoul(match[1]))] = {.name = match[2], .from = match[3]};
  }
  return rows;
}

TEST(CommandsTest, HasEveryNumberOfTheProtocolsFiles) {
  std::size_t count = 0;
  for_each_of(*client::Command_descriptor(), [&](std::uint32_t number, const std::string& name) {
    EXPECT_EQ(command(number).name, name);
    EXPECT_NE(command(number).kind, Kind::kInternal) << name;
    ++count;
  });
  for_each_of(*internal::Command_descriptor(), [&](std::uint32_t number, const std::string& name) {
    EXPECT_EQ(command(number).name, name);
    EXPECT_EQ(command(number).kind, Kind::kInternal) << name;
    ++count;
  });
  EXPECT_EQ(kCommands.size(), count);
}

TEST(CommandsTest, HasEveryCommandThatIsDocumented) {
  const auto rows = documented();
  ASSERT_GT(rows.size(), 10U);
  for (const auto& [number, row] : rows) {
    const Command& found = command(number);
    ASSERT_NE(found.kind, Kind::kUnknown) << row.name;
    if (!row.name.starts_with('(')) {
      EXPECT_EQ(found.name, row.name);
    }
    const bool of_server =
        found.kind == Kind::kPush || found.kind == Kind::kNotice || found.kind == Kind::kKickout;
    EXPECT_EQ(row.from, of_server ? "server" : "client") << row.name;
  }
  for (const Command& one : kCommands) {
    EXPECT_TRUE(one.kind == Kind::kInternal || rows.contains(one.number)) << one.name;
  }
}

TEST(CommandsTest, WhatGoesToLogicHasAPartThatTakesIt) {
  for (const Command& one : kCommands) {
    const bool handed_on = one.kind == Kind::kAuth || one.kind == Kind::kRequest || one.kind == Kind::kPush ||
                           one.kind == Kind::kInternal;
    EXPECT_EQ(one.part != Part::kNone, handed_on) << one.name;
  }
}

TEST(CommandsTest, OnlyThreeAreAllowedBeforeLogin) {
  std::vector<std::string> allowed;
  for (const Command& one : kCommands) {
    if (one.before_login) allowed.emplace_back(one.name);
  }
  EXPECT_EQ(allowed, (std::vector<std::string>{"AUTH", "NOOP", "SIGNAL_KEEP"}));
}

TEST(CommandsTest, ANumberWithoutACommandIsUnknown) {
  for (const std::uint32_t number :
       {0U, 4U, 80U, 244U, 256U, 999U, 1000U, 1008U, 1015U, 1016U, 0xFFFFFFFFU}) {
    EXPECT_EQ(command(number).kind, Kind::kUnknown) << number;
    EXPECT_FALSE(command(number).before_login) << number;
  }
}

TEST(CommandsTest, KnowsWhatConcernsGroups) {
  for (const Command& one : kCommands) {
    const bool to_group = one.part == Part::kGroups || one.number == internal::COMMAND_CTRL;
    EXPECT_EQ(is_for_group(one.number), to_group) << one.name;
  }
  EXPECT_FALSE(is_group_command(client::COMMAND_C2G_SEND));
}

}  // namespace
}  // namespace hongyan::protocol
