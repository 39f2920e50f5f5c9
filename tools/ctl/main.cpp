// hongyanctl: administration from the command line.
#include <CLI/CLI.hpp>

#include "common/base/version.h"
#include "tools/ctl/schema_command.h"

int main(int argc, char** argv) {
  CLI::App app("Administration of Hongyan", "hongyanctl");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("hongyanctl ") + hongyan::version());
  int exit_status = 0;
  const hongyan::ctl::SchemaCommand schema(app, exit_status);
  CLI11_PARSE(app, argc, argv);
  return exit_status;
}
