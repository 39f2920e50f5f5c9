// The command line of hongyan-bench.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "client/cpp/transport.h"
#include "common/base/result.h"
#include "tools/bench/modes/c2c.h"
#include "tools/bench/modes/c2s.h"
#include "tools/bench/modes/group.h"
#include "tools/bench/modes/idle.h"
#include "tools/bench/modes/login.h"
#include "tools/bench/modes/pull.h"
#include "tools/bench/modes/rows.h"
#include "tools/bench/modes/s2c.h"

namespace hongyan::bench {

struct Arguments {
  std::variant<C2cOptions, C2sOptions, S2cOptions, GroupOptions, LoginOptions, IdleOptions, PullOptions,
               RowsOptions>
      bench = {};
  std::string env = {};
  client::TransportKind transport = client::TransportKind::kTcp;
  bool json = false;
};

struct Usage {
  int status = 0;    // exit status: 0 for --help
  std::string text;  // for standard output when 0, else for standard error
};

// words: without the program's name. on_terminal: whether standard error is one; progress is shown there
// unless
// --quiet, elsewhere only with --progress.
[[nodiscard]] std::expected<Arguments, Usage> parse_arguments(std::vector<std::string> words,
                                                              bool on_terminal);

}  // namespace hongyan::bench
