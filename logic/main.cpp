#include "logic/app/app.h"

#include "common/config/schema.h"

int main(int argc, char** argv) {
  using namespace hongyan;
  logic::LogicConfig config;
  config::Schema schema;
  logic::bind(schema, config);
  return daemon::run({.name = "hongyan-logic", .description = "Stores messages and delivers them."}, argc,
                     argv, schema, config.common,
                     [&config](daemon::Context& context) { return logic::App::start(config, context); });
}
