#include <cstdio>

#include "common/config/command_line.h"
#include "common/log/log.h"
#include "common/net/signals.h"
#include "logic/app.h"

int main(int argc, char** argv) {
  using namespace hongyan;
  logic::LogicConfig config;
  config::Schema schema;
  logic::bind(schema, config);
  config::CommandLine line("hongyan-logic", "Stores messages and delivers them.");
  if (const auto status = line.run(argc, argv, schema, config.common)) return *status;

  log::init("hongyan-logic", config.common.log.parsed());
  logic::App app(std::move(config));
  net::StopSignals signals;
  if (const auto started = app.start(); !started) {
    log::error("logic", "cannot start: {}", started.error().message);
    log::shutdown();
    return 1;
  }
  signals.wait();
  app.stop();
  log::shutdown();
  return 0;
}
