// The options that all daemons have.
#pragma once

#include <optional>
#include <string>

#include "common/config/common_config.h"

namespace hongyan::config {

class Schema;

// --config FILE    the configuration
// --check-config   validates it, prints "ok", exits; all errors to standard error, status 1
// --print-config   prints every key with help, default and value (secrets hidden), exits; without --config
// the defaults
// --log-level L    instead of [log] level
// --version, --help
//
//   GateConfig config;
//   config::Schema schema;
//   bind(schema, config);
//   config::CommandLine line("hongyan-gate", "Keeps the connections of clients.");
//   if (const auto status = line.run(argc, argv, schema, config.common)) return *status;
//
// Used by main, before threads start.
class CommandLine {
 public:
  CommandLine(std::string program, std::string description);

  // Fills the configuration. The status to exit with, or nothing: go on.
  [[nodiscard]] std::optional<int> run(int argc, const char* const* argv, Schema& schema,
                                       CommonConfig& common);

  // As given with --config; empty when it was not.
  [[nodiscard]] const std::string& config_path() const noexcept { return config_path_; }

 private:
  const std::string program_;
  const std::string description_;
  std::string config_path_;
};

}  // namespace hongyan::config
