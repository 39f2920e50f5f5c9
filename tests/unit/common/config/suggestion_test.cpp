#include "common/config/suggestion.h"

#include <gtest/gtest.h>

namespace hongyan::config::detail {
namespace {

const std::vector<std::string> kNames = {"gate.name", "gate.workers", "listen.tcp"};

TEST(SuggestionTest, NamesWhatIsMisspelt) {
  EXPECT_EQ(suggestion(kNames, "gate.wokers", ""), ", did you mean gate.workers?");
  EXPECT_EQ(suggestion(kNames, "lisen", ""), ", did you mean listen?");
  EXPECT_EQ(suggestion(kNames, "gate.nam", "cells[1]."), ", did you mean cells[1].gate.name?");
}

TEST(SuggestionTest, NamesTheSameWordOfAnotherSection) {
  EXPECT_EQ(suggestion(kNames, "websocket.workers", ""), ", did you mean gate.workers?");
}

TEST(SuggestionTest, SaysNothingOfWhatIsLikeNothing) {
  EXPECT_EQ(suggestion(kNames, "storage.engine", ""), "");
}

}  // namespace
}  // namespace hongyan::config::detail
