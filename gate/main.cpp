// hongyan-gate: keeps the connections of clients and forwards what they send to logic.
#include <cstdlib>

#include "common/config/command_line.h"
#include "common/log/log.h"
#include "common/net/signals.h"
#include "gate/app/gate.h"

int main(int argc, char** argv) {
  using namespace hongyan;
  gate::GateConfig config;
  config::Schema schema;
  gate::bind(schema, config);
  config::CommandLine line("hongyan-gate", "Keeps the connections of clients.");
  if (const auto status = line.run(argc, argv, schema, config.common)) return *status;

  log::init("gate", config.common.log.parsed());
  net::StopSignals signals;
  int status = EXIT_FAILURE;
  {
    gate::Gate gate(config);
    if (const auto started = gate.start(); started) {
      status = signals.wait();
      log::info("gate", "stop asked for reason={}", signals.reason());
      gate.stop();
    } else {
      log::error("gate", "cannot start reason={}", started.error().message);
    }
  }
  log::shutdown();
  return status;
}
