// hongyan-bench: load on a running cluster, and what it costs the servers.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "common/log/log.h"
#include "tools/bench/options.h"

namespace {

using namespace hongyan;

struct RunBench {
  const bench::Cluster& cluster;

  Result<bench::Report> operator()(const bench::C2cOptions& options) const {
    return bench::run_c2c(cluster, options);
  }
  Result<bench::Report> operator()(const bench::C2sOptions& options) const {
    return bench::run_c2s(cluster, options);
  }
  Result<bench::Report> operator()(const bench::S2cOptions& options) const {
    return bench::run_s2c(cluster, options);
  }
  Result<bench::Report> operator()(const bench::GroupOptions& options) const {
    return bench::run_group(cluster, options);
  }
  Result<bench::Report> operator()(const bench::LoginOptions& options) const {
    return bench::run_login(cluster, options);
  }
  Result<bench::Report> operator()(const bench::IdleOptions& options) const {
    return bench::run_idle(cluster, options);
  }
  Result<bench::Report> operator()(const bench::PullOptions& options) const {
    return bench::run_pull(cluster, options);
  }
  Result<bench::Report> operator()(const bench::RowsOptions& options) const {
    return bench::run_rows(cluster, options);
  }
};

int run(int argc, char** argv) {
  const auto arguments = bench::parse_arguments({argv + 1, argv + argc}, isatty(STDERR_FILENO) == 1);
  if (!arguments) {
    std::fputs(arguments.error().text.c_str(), arguments.error().status == 0 ? stdout : stderr);
    return arguments.error().status;
  }
  const auto cluster = bench::read_cluster(arguments->env, arguments->transport);
  if (!cluster) {
    fmt::print(stderr, "hongyan-bench: {}\n", cluster.error().message);
    return 2;
  }
  const auto report = std::visit(RunBench{*cluster}, arguments->bench);
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
