// Every command that the table gives to logic is answered by the part that the table names.
#include "common/protocol/commands.h"

#include <gtest/gtest.h>

#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {
namespace {

class CommandsTest : public PipelineHarness {
 protected:
  CommandsTest() { acquire(); }
  // Whether the request with this command and no body is refused as unknown.
  [[nodiscard]] bool is_unknown(std::uint32_t number) {
    request(gate_, ++seq_, "alice", number, "");
    settle();
    const auto* answer = gate_->answer(seq_);
    if (answer == nullptr) return false;  // an acknowledgement, or an answer that waits
    client::ErrorOnly body;
    EXPECT_TRUE(body.ParseFromString(answer->body));
    return answer->refused && body.error().code() == client::ERROR_CODE_UNKNOWN_COMMAND;
  }

 private:
  std::uint32_t seq_ = 0;
};

TEST_F(CommandsTest, WhatLogicServesIsServed) {
  int served = 0;
  for (const auto& command : protocol::kCommands) {
    if (command.part == protocol::Part::kNone) continue;
    ++served;
    EXPECT_FALSE(is_unknown(command.number)) << command.name << ' ' << command.number;
  }
  EXPECT_GT(served, 20);
}

TEST_F(CommandsTest, WhatItDoesNotServeIsRefused) {
  EXPECT_TRUE(is_unknown(client::COMMAND_PRESENCE));
  EXPECT_TRUE(is_unknown(99));
  EXPECT_TRUE(is_unknown(internal::COMMAND_FIRST + 15));
}

}  // namespace
}  // namespace hongyan::logic
