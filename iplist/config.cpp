#include "iplist/config.h"

namespace hongyan::iplist {

void bind(config::Schema& schema, IplistConfig& c) {
  config::bind_common(schema, c.common, {.host = "127.0.0.1", .port = 9102});

  schema.section("iplist", "The directory of gates and logic nodes.");
  schema.value("iplist.name", c.name, "This iplist's name on links and in logs.").not_empty().length(1, 64);
  schema
      .value("iplist.ttl_seconds", c.ttl_seconds, "For how many seconds clients may keep the list of gates.")
      .range(1, 86'400);
  schema.value("iplist.max_connections", c.max_connections, "Clients at once; more are answered 503.")
      .range(1, 1'000'000);

  schema.section("listen", "Where clients and daemons connect. Port 0: the system chooses; the log tells.");
  schema.value("listen.clients", c.clients, "HTTP, GET /v1/gates.").not_empty();
  schema.value("listen.heartbeats", c.heartbeats, "Links of gates and logic nodes.").not_empty();
}

}  // namespace hongyan::iplist
