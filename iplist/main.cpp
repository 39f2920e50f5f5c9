// hongyan-iplist: tells clients where the gates are, and the daemons where the logic nodes are.
#include "common/config/schema.h"
#include "iplist/app.h"

int main(int argc, char** argv) {
  using namespace hongyan;
  iplist::IplistConfig config;
  config::Schema schema;
  iplist::bind(schema, config);
  return daemon::run({.name = "hongyan-iplist", .description = "The directory of gates and logic nodes."},
                     argc, argv, schema, config.common,
                     [&config](daemon::Context& context) { return iplist::App::start(config, context); });
}
