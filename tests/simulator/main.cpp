// Runs the simulated cluster by seeds, repeats a run, and finds which of a run's faults are needed to break it.
#include <fmt/format.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <ranges>
#include <string>

#include "common/log/log.h"
#include "tests/simulator/simulation.h"

namespace {

using namespace hongyan;             // NOLINT(google-build-using-namespace)
using namespace hongyan::simulator;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kPrintedLines = 60;

std::string list(const std::set<std::size_t>& places) {
  return places.empty() ? "none" : fmt::format("{}", fmt::join(places, ","));
}

std::optional<std::set<std::size_t>> parse_faults(const std::string& text) {
  if (text == "all") return std::nullopt;
  std::set<std::size_t> places;
  if (text == "none") return places;
  for (const auto part : std::views::split(text, ',')) {
    places.insert(std::stoul(std::string(part.begin(), part.end())));
  }
  return places;
}

std::string command_line(const RunOptions& options) {
  std::string text = fmt::format("hongyan-simulator --seed {} --seconds {} --nodes {} --faults {}",
                                 options.seed, options.time.count() / 1000, options.shape.nodes,
                                 options.faults ? list(*options.faults) : "all");
  if (!options.groups) text += " --no-groups";
  if (options.shares) text += " --shares";
  for (const auto& [mutation, name] : kMutations) {
    if (mutation == options.mutation && mutation != Mutation::kNone)
      text += fmt::format(" --mutation {}", name);
  }
  return text;
}

// Leaves out one fault after the other as long as the run still breaks.
RunOptions shrunk(RunOptions options) {
  const std::size_t count = plan(options.seed, options.shape, options.time, options.shares).size();
  if (!options.faults) {
    options.faults.emplace();
    for (std::size_t i = 0; i < count; ++i) options.faults->insert(i);
  }
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (const std::size_t place : std::set(*options.faults)) {
      RunOptions less = options;
      less.print = false;
      less.faults->erase(place);
      if (run(less).broken.empty()) continue;
      options.faults = less.faults;
      smaller = true;
    }
  }
  return options;
}

void report(const RunOptions& options, const RunResult& result) {
  fmt::print("BROKEN seed {}: {}\n  {}\n", options.seed, result.broken, command_line(options));
  const RunOptions small = shrunk(options);
  const RunResult again = run(small);
  const auto faults = plan(small.seed, small.shape, small.time, small.shares);
  for (const std::size_t place : *small.faults) {
    if (place < faults.size()) fmt::print("  fault {}: {}\n", place, describe(faults[place]));
  }
  const std::size_t skip =
      again.last_lines.size() > kPrintedLines ? again.last_lines.size() - kPrintedLines : 0;
  for (const auto& line : again.last_lines | std::views::drop(skip)) fmt::print("  {}\n", line);
  fmt::print("SMALLEST seed {}: {}\n  {}\n", small.seed, again.broken, command_line(small));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates a whole cluster in one thread and virtual time"};
  RunOptions options;
  std::uint64_t count = 1;
  double seconds = 10;
  std::string faults = "all";
  std::string mutation = "none";
  bool repeat = false;
  bool find = false;
  bool no_groups = false;
  bool log_lines = false;
  std::vector<std::string> names;
  for (const auto& one : kMutations) names.emplace_back(one.name);
  app.add_option("--seed", options.seed, "the first seed");
  app.add_option("--count", count, "how many seeds, one after the other");
  app.add_option("--seconds", seconds, "of virtual time with sends and faults");
  app.add_option("--nodes", options.shape.nodes, "logic nodes")->check(CLI::Range(1, 20));
  app.add_option("--gates", options.shape.gates, "gates")->check(CLI::Range(1, 20));
  app.add_option("--shards", options.shape.shards, "databases")->check(CLI::Range(1, 20));
  app.add_option("--users", options.users, "users")->check(CLI::Range(2, 100));
  app.add_option("--faults", faults, "all, none, or places in the seed's plan: 0,3");
  app.add_option("--mutation", mutation, "a mistake made on purpose")->check(CLI::IsMember(names));
  app.add_flag("--repeat", repeat, "runs each seed twice and compares");
  app.add_flag("--find", find, "succeeds with the first seed that breaks a rule, fails when none does");
  app.add_flag("--no-groups", no_groups, "messages to users only");
  app.add_flag("--shares", options.shares, "the nodes share the slots");
  app.add_flag("--print", options.print, "prints what happens");
  app.add_flag("--log", log_lines, "prints the daemons' log lines, too");
  CLI11_PARSE(app, argc, argv);
  log::set_level(log_lines ? log::Level::kInfo : log::Level::kOff);
  options.time = Milliseconds(static_cast<std::int64_t>(seconds * 1000));
  options.faults = parse_faults(faults);
  options.groups = !no_groups;
  for (const auto& one : kMutations) {
    if (one.name == mutation) options.mutation = one.mutation;
  }
  std::size_t broken = 0;
  std::uint64_t digest = 0;
  std::size_t sent = 0;
  const std::uint64_t end = options.seed + count;
  for (; options.seed < end; ++options.seed) {
    const RunResult result = run(options);
    digest = digest * 31 + result.digest;
    sent += result.sent;
    if (repeat && run(options).digest != result.digest) {
      fmt::print("DIFFERS seed {}: the same run is another one the second time\n", options.seed);
      return 1;
    }
    if (find && !result.broken.empty()) {
      fmt::print("found with seed {}: {}\n", options.seed, result.broken);
      return 0;
    }
    if (result.broken.empty()) continue;
    ++broken;
    report(options, result);
  }
  fmt::print("{} seeds, {} broken, {} messages, digest {:016x}\n", count, broken, sent, digest);
  return broken == 0 && !find ? 0 : 1;
}
