#include "common/config/command_line.h"

#include <CLI/CLI.hpp>

#include <cstdio>

#include "common/base/version.h"
#include "common/config/schema.h"

namespace hongyan::config {

namespace {

int report(const std::vector<std::string>& errors) {
  for (const auto& error : errors) std::fprintf(stderr, "%s\n", error.c_str());
  return 1;
}

}  // namespace

CommandLine::CommandLine(std::string program, std::string description)
    : program_(std::move(program)), description_(std::move(description)) {}

std::optional<int> CommandLine::run(int argc, const char* const* argv, Schema& schema, CommonConfig& common) {
  bool check = false;
  bool print = false;
  std::string level;
  CLI::App app(description_, program_);
  app.add_option("--config", config_path_, "Configuration file (TOML)")->type_name("FILE");
  app.add_flag("--check-config", check, "Validate the configuration, print \"ok\", exit");
  app.add_flag("--print-config", print, "Print every key with help, default and value, exit");
  app.add_option("--log-level", level, "Instead of [log] level")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  app.set_version_flag("--version", program_ + " " + version());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 1;
  }
  if (print && config_path_.empty()) {
    std::fputs(schema.print().c_str(), stdout);
    return 0;
  }
  const auto errors =
      config_path_.empty() ? schema.load_text("", "no --config given") : schema.load_file(config_path_);
  if (!errors.empty()) return report(errors);
  if (!level.empty()) common.log.level = level;
  if (print) {
    std::fputs(schema.print().c_str(), stdout);
    return 0;
  }
  if (check) {
    std::puts("ok");
    return 0;
  }
  return std::nullopt;
}

}  // namespace hongyan::config
