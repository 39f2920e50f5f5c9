#include "logic/app/config.h"

#include "common/base/msg_id.h"
#include "common/config/schema.h"
#include "common/net/listen.h"

namespace hongyan::logic {

namespace {

void bind_node(config::Schema& schema, LogicConfig& config) {
  schema.section("logic", "This node.");
  schema.value("logic.name", config.name, "Name in the cluster.").required().length(1, 64);
  schema
      .value("logic.node", config.node,
             "Number in the cluster, unique among logic nodes; part of message ids.")
      .range(0, kMaxNodeNumber);
  schema.value("logic.threads", config.threads, "Slot threads.").range(1, 64);
  schema.value(
      "logic.share_slots", config.share_slots,
      "Free slots are shared among all logic nodes, instead of one node's that leads; the same on all "
      "nodes.");
}

void bind_link(config::Schema& schema, LogicConfig& config) {
  schema.section("link", "Links from gates and logic nodes.");
  schema.value("link.listen", config.link_listen, "Where gates connect.");
  schema.value("link.advertise", config.advertise,
               "Host, or host:port, told to gates and other nodes; empty: those of link.listen.");
  schema.check("link.advertise", [&config] {
    if (const auto endpoint = config::parse_advertised(config.advertise); !endpoint)
      return endpoint.error().message;
    return config::unreachable_advertise(config.link_listen, config.advertise, config.common.cluster);
  });
  link::bind(schema, "link", config.links);
}

// What the start would refuse.
void check_hosts(config::Schema& schema, LogicConfig& config) {
  schema.check("link.listen", [&config] { return net::check_listen_host(config.link_listen.host); });
  schema.check("api.listen", [&config] {
    return config.api.listen.set() ? net::check_listen_host(config.api.listen.host) : std::string();
  });
  schema.check("metrics.listen",
               [&config] { return net::check_listen_host(config.common.metrics.listen.host); });
}

}  // namespace

void bind(config::Schema& schema, LogicConfig& config) {
  config::bind_common(schema, config.common, {.host = "127.0.0.1", .port = 9101});
  bind_node(schema, config);
  bind_link(schema, config);
  bind(schema, config.api);
  bind(schema, config.redis);
  bind(schema, config.mysql);
  bind(schema, config.kafka);
  bind(schema, config.pipeline);
  bind(schema, config.group);
  bind(schema, config.apps);
  check_hosts(schema, config);
}

}  // namespace hongyan::logic
