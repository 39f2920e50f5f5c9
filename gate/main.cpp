// hongyan-gate: keeps the connections of clients and forwards what they send to logic.
#include "common/config/schema.h"
#include "gate/app/gate.h"

int main(int argc, char** argv) {
  using namespace hongyan;
  gate::GateConfig config;
  config::Schema schema;
  gate::bind(schema, config);
  return daemon::run({.name = "hongyan-gate", .description = "Keeps the connections of clients."}, argc, argv,
                     schema, config.common,
                     [&config](daemon::Context& context) -> Result<std::unique_ptr<daemon::Daemon>> {
                       auto gate = std::make_unique<gate::Gate>(config, context.metrics, context.health);
                       if (auto started = gate->start(); !started) return std::unexpected(started.error());
                       return gate;
                     });
}
