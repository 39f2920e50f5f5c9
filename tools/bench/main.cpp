// hongyan-bench: load on a running cluster, and what it costs the servers.
#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "common/log/log.h"
#include "tools/bench/c2c.h"
#include "tools/support/cluster_env.h"

namespace {

using namespace hongyan;

constexpr const char* kUsage =
    R"(usage: hongyan-bench c2c --env FILE [options]

Pairs of users, all online; a slot of a pair's window is free again when its message has both the sender's
acknowledgement and the receiver's delivery. Every message is checked for loss, duplicates and changes.

  --env FILE      what deploy/dev-cluster wrote
  --pairs N       default 50
  --window N      messages under way in each pair, default 8
  --size BYTES    of content, default 100
  --seconds N     measured, default 15
  --warmup N      seconds before that, default 3
  --loops N       threads of the generator, default 1
  --json          the result as one JSON object
  --quiet         no progress lines
Exit status: 0 nothing lost, doubled or changed; 1 else; 2 bad usage.
)";

struct Arguments {
  bench::C2cOptions bench = {};
  std::string env = {};
  bool json = false;
  bool help = false;
};

template <typename T>
bool read_number(const std::string& text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= T{};
}

bool read_option(const std::string& name, const std::string& value, Arguments& out) {
  if (name == "--pairs") return read_number(value, out.bench.pairs) && out.bench.pairs > 0;
  if (name == "--window") return read_number(value, out.bench.window) && out.bench.window > 0;
  if (name == "--size") return read_number(value, out.bench.size);
  if (name == "--seconds") return read_number(value, out.bench.seconds) && out.bench.seconds > 0;
  if (name == "--warmup") return read_number(value, out.bench.warm_up_seconds);
  if (name == "--loops") return read_number(value, out.bench.loops) && out.bench.loops > 0;
  if (name != "--env") return false;
  out.env = value;
  return true;
}

Result<Arguments> read_arguments(const std::vector<std::string>& words) {
  Arguments out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "c2c" && i == 0) continue;
    if (word == "--json") {
      out.json = true;
    } else if (word == "--quiet") {
      out.bench.progress = false;
    } else if (word == "--help" || word == "-h") {
      out.help = true;
      return out;
    } else if (i + 1 >= words.size() || !read_option(word, words[i + 1], out)) {
      return fail(Code::kBadRequest, "not understood: " + word);
    } else {
      ++i;
    }
  }
  if (words.empty() || words[0] != "c2c") return fail(Code::kBadRequest, "which bench? c2c");
  if (out.env.empty()) return fail(Code::kBadRequest, "--env FILE is missing");
  return out;
}

Status read_cluster(Arguments& arguments) {
  const auto settings = tools::read_settings(arguments.env);
  if (!settings) return std::unexpected(settings.error());
  bench::C2cOptions& options = arguments.bench;
  options.gates = tools::words(tools::setting(*settings, "HONGYAN_GATES"));
  options.api = tools::setting(*settings, "HONGYAN_API");
  options.api_key = tools::setting(*settings, "HONGYAN_API_KEY");
  options.pids = tools::setting(*settings, "HONGYAN_PIDS");
  if (const auto app = tools::setting(*settings, "HONGYAN_APP"); !app.empty()) options.app_id = app;
  if (options.gates.empty() || options.api.empty()) {
    return fail(Code::kBadRequest, arguments.env + ": HONGYAN_GATES and HONGYAN_API are needed");
  }
  return {};
}

int run(int argc, char** argv) {
  auto arguments = read_arguments({argv + 1, argv + argc});
  if (arguments && arguments->help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  const Status status = arguments ? read_cluster(*arguments) : Status(std::unexpected(arguments.error()));
  if (!status) {
    fmt::print(stderr, "hongyan-bench: {}\nTry --help.\n", status.error().message);
    return 2;
  }
  const auto report = bench::run_c2c(arguments->bench);
  if (!report) {
    fmt::print(stderr, "hongyan-bench: {} {}\n", code_name(report.error().code), report.error().message);
    return 1;
  }
  std::fputs((arguments->json ? bench::to_json(*report) : bench::to_table(*report)).c_str(), stdout);
  return report->clean() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  log::set_level(log::Level::kWarn);
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "hongyan-bench: {}\n", e.what());
    return 1;
  }
}
