#include "tools/bench/options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

#include "tools/bench/content.h"

namespace hongyan::bench {

namespace {

constexpr std::size_t kOpenLoopWindow = 64;  // as many as a gate takes of one session
constexpr int kMostSeconds = 86'400;

struct Parser {
  CLI::App app{"hongyan-bench: load on a running cluster, and what it costs the servers.", "hongyan-bench"};
  Arguments out = {};
  bool quiet = false;
  bool progress = false;

  CLI::App* command(const std::string& name, const std::string& text) {
    CLI::App* const sub = app.add_subcommand(name, text);
    sub->add_option("--env", out.env, "What deploy/dev-cluster wrote")->required()->type_name("FILE");
    sub->add_flag("--json", out.json, "The result as one JSON object");
    sub->add_flag("--progress", progress, "A line a second, though standard error is no terminal");
    sub->add_flag("--quiet", quiet, "No progress lines");
    return sub;
  }

  template <typename T>
  static CLI::Option* number(CLI::App* sub, const std::string& name, T& value, double least, double most,
                             const std::string& text) {
    return sub->add_option(name, value, text)->check(CLI::Range(least, most))->capture_default_str();
  }

  static void seconds(CLI::App* sub, double& value) {
    number(sub, "--seconds", value, 0.1, kMostSeconds, "Measured");
  }

  static void loops(CLI::App* sub, int& value) {
    number(sub, "--loops", value, 1, 64, "Threads of the generator");
  }

  // What the loads of messages have in common.
  static void load(CLI::App* sub, LoadOptions& load) {
    seconds(sub, load.seconds);
    loops(sub, load.loops);
    number(sub, "--warmup", load.warm_up_seconds, 0, kMostSeconds, "Seconds before that");
    number(sub, "--window", load.window, 1, 4096, "Messages under way of each sender; with --rate 64");
    number(sub, "--size", load.size, Content::kLeastSize, 1 << 20, "Bytes of content");
    number(sub, "--rate", load.rate, 0, 1e6,
           "Messages a second of all senders, whatever the answers do (open loop): latency counts from the "
           "intended "
           "time. 0: as fast as answers come (closed loop)");
    number(sub, "--backlog", load.backlog, 1, 1e8, "With --rate: late messages at a time; more are left out");
  }
};

void settle(LoadOptions& load, const CLI::App& sub, bool progress) {
  load.progress = progress;
  if (load.rate > 0 && sub.count("--window") == 0) load.window = kOpenLoopWindow;
}

}  // namespace

std::expected<Arguments, Usage> parse_arguments(std::vector<std::string> words, bool on_terminal) {
  Parser parser;
  parser.app.require_subcommand(1);
  parser.app.footer("Exit status: 0 nothing lost, doubled, changed or out of order; 1 else; 2 bad usage.");

  C2cOptions c2c;
  CLI::App* const c2c_command = parser.command("c2c", "Pairs of users, all online, send messages");
  Parser::number(c2c_command, "--pairs", c2c.pairs, 1, 5000, "Senders, with a receiver each");
  Parser::load(c2c_command, c2c.load);

  std::ranges::reverse(words);  // as CLI11 wants them
  try {
    parser.app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    std::ostringstream good;
    std::ostringstream bad;
    const int status = parser.app.exit(error, good, bad) == 0 ? 0 : 2;
    return std::unexpected(Usage{status, good.str() + bad.str()});
  }
  Arguments out = std::move(parser.out);
  out.progress = (on_terminal || parser.progress) && !parser.quiet;
  if (c2c_command->parsed()) {
    settle(c2c.load, *c2c_command, out.progress);
    out.bench = c2c;
  }
  return out;
}

}  // namespace hongyan::bench
