// hongyan-chat: a terminal client, for people and for scripts.
#pragma once

#include "tools/chat/options.h"

namespace hongyan::chat {

enum ExitStatus : int { kExitOk = 0, kExitFailed = 1, kExitUsage = 2, kExitKicked = 3 };

// Runs until the script is done, or standard input ends. Blocks; main's thread.
[[nodiscard]] int run_chat(const Options& options);

}  // namespace hongyan::chat
