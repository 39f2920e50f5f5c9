#include "common/log/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/temp_folder.h"

namespace hongyan::audit {
namespace {

using nlohmann::json;

class AuditTest : public ::testing::Test {
 protected:
  ~AuditTest() override { close(); }
  [[nodiscard]] std::string file(const std::string& name = "audit.log") const { return folder_.file(name); }
  // After close().
  [[nodiscard]] static std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream stream(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  testing::TempFolder folder_;
};

TEST_F(AuditTest, WritesAnObjectALine) {
  ASSERT_TRUE(open("hongyan-gate", {.file = file()}));
  EXPECT_TRUE(enabled());
  write("login", {{"uid", "bob"}, {"device_type", 5}});
  write("login_refused", {{"uid", "a\"b\n\x01\xff"}, {"address", "192.0.2.1"}});
  close();
  EXPECT_FALSE(enabled());
  const auto lines = lines_of(file());
  ASSERT_EQ(lines.size(), 2U);
  const json first = json::parse(lines[0]);
  EXPECT_EQ(first["event"], "login");
  EXPECT_EQ(first["daemon"], "hongyan-gate");
  EXPECT_EQ(first["uid"], "bob");
  EXPECT_EQ(first["device_type"], 5);
  EXPECT_THAT(first["time"].get<std::string>(), ::testing::MatchesRegex("....-..-..T..:..:..\\....Z"));
  EXPECT_EQ(json::parse(lines[1])["uid"], "a\"b\n\x01\uFFFD");
}

TEST_F(AuditTest, WithoutAFileNothingIsWritten) {
  ASSERT_TRUE(open("hongyan-gate", {}));
  EXPECT_FALSE(enabled());
  write("login", {{"uid", "bob"}});
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(AuditTest, SaysThatAFileCannotBeWritten) {
  std::ofstream(file()) << "";
  const auto inside_a_file = open("hongyan-gate", {.file = file() + "/audit.log"});
  ASSERT_FALSE(inside_a_file);
  EXPECT_EQ(inside_a_file.error().code, Code::kUnavailable);
}

TEST_F(AuditTest, GoesOnInTheFileOfBefore) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(open("hongyan-gate", {.file = file()}));
    write("login", {{"uid", "bob"}});
    close();
  }
  EXPECT_EQ(lines_of(file()).size(), 2U);
}

TEST_F(AuditTest, TurnsFullFilesAndKeepsSoMany) {
  ASSERT_TRUE(open("hongyan-gate", {.file = file(), .max_file_bytes = 4096, .max_files = 2}));
  for (int i = 0; i < 200; ++i) write("login", {{"uid", std::string(100, 'x')}, {"n", std::int64_t{i}}});
  close();
  ASSERT_EQ(dropped_lines(), 0U);
  EXPECT_EQ(json::parse(lines_of(file()).back())["n"], 199);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_LE(entry.file_size(), 4096U);
    ++files;
  }
  EXPECT_EQ(files, 3U);  // the present one and two of before
}

}  // namespace
}  // namespace hongyan::audit
