// hongyan-checker: users under faults, judged by what they saw. docs/reliability.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "common/log/log.h"
#include "tools/checker/report.h"
#include "tools/checker/run.h"
#include "tools/support/cluster_env.h"

namespace hongyan::checker {
namespace {

constexpr int kExitUsage = 2;

struct Arguments {
  std::string env = {};
  std::string faults = "all";
  std::vector<std::string> transports = {};
  double stop_seconds = 0;
  bool json = false;
  bool verbose = false;
  RunOptions run = {};
};

void declare(CLI::App& app, Arguments& arguments) {
  RunOptions& run = arguments.run;
  app.add_option("--env", arguments.env,
                 "What dev-cluster wrote; absent: the environment, as with-cluster sets it");
  app.add_option("--users", run.users)->check(CLI::Range(2, 20000))->capture_default_str();
  app.add_option("--receivers", run.receivers, "Only the first so many users are sent to; 0: all");
  app.add_option("--devices", run.devices, "Of a user, at most")
      ->check(CLI::Range(1, 3))
      ->capture_default_str();
  app.add_option("--seconds", run.seconds, "Of faults")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  app.add_option("--rate", run.rate, "Messages a second")->check(CLI::Range(0.1, 1e5))->capture_default_str();
  app.add_option("--seed", run.seed, "All decisions come from it; absent: a random one");
  app.add_option(
         "--faults", arguments.faults,
         "kill-logic, kill-gate, kill-mysql, kill-redis, stop-logic, stop-gate, flush-redis, read-only, "
         "down-mysql, stop-mysql, slow-mysql, cut-link (needs --link-relays of dev-cluster), restart-gates, "
         "cut-clients, half-open, never-read, kick-race, reconnect; all (that the cluster allows); none")
      ->capture_default_str();
  app.add_option("--transports", arguments.transports,
                 "Of tcp, tls, ws, wss, separated by commas; devices take them in turn")
      ->delimiter(',')
      ->default_str("tcp");
  app.add_option("--stop-seconds", arguments.stop_seconds,
                 "How long a server is stopped, read-only, down, slow or cut off; 0: 0.5 to 10, by the seed")
      ->check(CLI::Range(0.0, 600.0));
  app.add_option("--cut", run.cut, "Share of connections cut in a second")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--half-open", run.half_open, "Share of connections that become half open in a second")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--racers", run.racers, "Users with two devices of one class")->capture_default_str();
  app.add_option("--sleepers", run.sleepers, "Clients that never read")->capture_default_str();
  app.add_option("--newcomers", run.newcomers, "Users whose one device comes and goes (reconnect)")
      ->capture_default_str();
  app.add_option("--onlookers", run.onlookers,
                 "Users on a thread of their own whose answers are timed; 0: time everybody's")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--onlooker-rate", run.onlooker_rate, "Messages a second of them")
      ->check(CLI::Range(0.1, 1e4))
      ->capture_default_str();
  GroupsOptions& groups = run.groups;
  app.add_option("--groups", groups.groups, "Groups that users talk in, and come to and leave")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--group-members", groups.members, "Users who may be in one")
      ->check(CLI::Range(3, 10000))
      ->capture_default_str();
  app.add_option("--large-groups", groups.large_groups, "More groups, that become large")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--large-members", groups.large_members, "Users who join one of those")
      ->check(CLI::Range(3, 10000))
      ->capture_default_str();
  app.add_option("--large-begin", groups.large_begin, "How many it begins with: below the servers' threshold")
      ->check(CLI::Range(2, 10000))
      ->capture_default_str();
  app.add_option("--group-rate", groups.rate, "Messages a second to groups")->capture_default_str();
  app.add_option("--change-rate", groups.change_rate, "Joins and leaves a second")->capture_default_str();
  app.add_option("--calm-seconds", run.calm_seconds, "Of traffic before the faults, to compare with")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  app.add_flag("--large", run.large, "All messages have 60 KB");
  app.add_option("--before-pull", run.before_pull,
                 "A shell command, run once all is quiet: plants errors that must be found");
  app.add_flag("--json", arguments.json, "The result as one JSON object");
  app.add_flag("--verbose", arguments.verbose, "The client library's log");
  app.footer("Exit status: 0 all counts are 0; 1 else; 2 bad usage.");
}

// The settings of the env file, where the cluster is looked for. False: said why.
bool load(const std::string& file) {
  const auto settings = tools::read_settings(file);
  if (!settings) {
    fmt::print(stderr, "hongyan-checker: {}\n", settings.error().message);
    return false;
  }
  for (const auto& [key, value] : *settings) setenv(key.c_str(), value.c_str(), 1);
  const auto dev_cluster = std::filesystem::path(HONGYAN_SOURCE_DIR) / "deploy" / "dev-cluster";
  setenv("HONGYAN_DEV_CLUSTER", dev_cluster.c_str(), 0);
  return true;
}

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const Guardian guardian;
  Arguments arguments;
  CLI::App app("hongyan-checker: users under faults on a private cluster, judged by what they saw.");
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  auto faults = parse_faults(arguments.faults);
  if (!faults) {
    fmt::print(stderr, "hongyan-checker: {}\n", faults.error().message);
    return kExitUsage;
  }
  if (!arguments.transports.empty()) arguments.run.transports.clear();
  for (const auto& name : arguments.transports) {
    const auto kind = protocol::parse_transport(name);
    if (!kind) {
      fmt::print(stderr, "hongyan-checker: a transport is one of tcp, tls, ws, wss, not \"{}\"\n", name);
      return kExitUsage;
    }
    arguments.run.transports.push_back(*kind);
  }
  if (!arguments.env.empty() && !load(arguments.env)) return kExitUsage;
  if (faults->contains(Fault::kCutLink) && !tools::Cluster::get().members().contains("relay-1")) {
    if (arguments.faults != "all") {
      fmt::print(stderr, "hongyan-checker: cut-link needs a cluster made with --link-relays\n");
      return kExitUsage;
    }
    faults->erase(Fault::kCutLink);
  }
  RunOptions& run_options = arguments.run;
  run_options.faults = std::move(*faults);
  run_options.stop_ms = static_cast<std::int64_t>(arguments.stop_seconds * 1000);
  run_options.receivers = std::min(run_options.receivers, run_options.users);
  run_options.newcomers = std::min(run_options.newcomers, run_options.users);
  run_options.racers = std::min(run_options.racers, run_options.users);
  if (app.count("--seed") == 0) run_options.seed = std::random_device{}();
  log::set_level(arguments.verbose ? log::Level::kDebug : log::Level::kError);
  fmt::print(stderr, "checker: seed {}\n", run_options.seed);
  const auto result = run(run_options, tools::Cluster::get(), guardian);
  fmt::print("{}", arguments.json ? to_json(run_options, result) : to_table(run_options, result));
  return result.clean() ? 0 : 1;
}

}  // namespace
}  // namespace hongyan::checker

int main(int argc, char** argv) { return hongyan::checker::main(argc, argv); }
