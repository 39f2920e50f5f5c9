#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "common/log/log.h"
#include "tools/chat/chat.h"

int main(int argc, char** argv) {
  using namespace hongyan;
  const auto options = chat::parse_options({argv + 1, argv + argc});
  if (!options) {
    fmt::print(stderr, "hongyan-chat: {}\nTry --help.\n", options.error().message);
    return chat::kExitUsage;
  }
  if (!options->help.empty()) {
    std::fputs(options->help.c_str(), stdout);
    return chat::kExitOk;
  }
  std::signal(SIGPIPE, SIG_IGN);
  log::set_level(options->verbose ? log::Level::kDebug : log::Level::kError);
  try {
    return chat::run_chat(*options);
  } catch (const std::exception& e) {
    fmt::print(stderr, "hongyan-chat: {}\n", e.what());
    return chat::kExitFailed;
  }
}
