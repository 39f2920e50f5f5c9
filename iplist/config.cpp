#include "iplist/config.h"

#include "common/config/schema.h"
#include "common/net/listen.h"
#include "common/net/network.h"

namespace hongyan::iplist {

void bind(config::Schema& schema, IplistConfig& c) {
  config::bind_common(schema, c.common, {.host = "127.0.0.1", .port = 9102});

  schema.section("iplist", "The directory of gates and logic nodes.");
  schema.value("iplist.name", c.name, "This iplist's name on links and in logs.").not_empty().length(1, 64);
  schema
      .value("iplist.ttl_seconds", c.ttl_seconds, "For how many seconds clients may keep the list of gates.")
      .range(1, 86'400);
  schema
      .value(
          "iplist.max_connections", c.max_connections,
          "Clients at once. Full: the connection that has been idle longest makes room; when none is, 503.")
      .range(1, 1'000'000);
  schema
      .value(
          "iplist.max_connections_per_address", c.max_connections_per_address,
          "The same of one address (IPv6: of one /64); behind one there may be a whole company. 0: no limit.")
      .range(0, 1'000'000);
  schema.list("iplist.exempt", c.exempt,
              "Networks that this limit does not count, a load balancer's say: \"10.0.0.0/8\".");
  schema.check("iplist.exempt", [&c] { return net::check_networks(c.exempt); });

  schema.section("listen", "Where clients and daemons connect. Port 0: the system chooses; the log tells.");
  schema.value("listen.clients", c.clients, "HTTP: GET /v1/gates, the page.").not_empty();
  schema.value("listen.heartbeats", c.heartbeats, "Links of gates and logic nodes.").not_empty();
  schema.check("listen.clients", [&c] { return net::check_listen_host(c.clients.host); });
  schema.check("listen.heartbeats", [&c] { return net::check_listen_host(c.heartbeats.host); });
  schema.check("metrics.listen", [&c] { return net::check_listen_host(c.common.metrics.listen.host); });
  link::bind(schema, "listen", c.links);

  schema.section(
      "tls", "TLS 1.2 and later for listen.clients, instead of plain HTTP. SIGHUP reads both files anew.");
  schema.value("tls.certificate_file", c.certificate.certificate,
               "PEM: the certificate, then those that lead to the CA. Empty: plain HTTP.");
  schema.value("tls.key_file", c.certificate.key, "PEM: the certificate's private key.");
  schema.check("tls.certificate_file", [&c] { return daemon::check_certificate(c.certificate); });

  schema.section("web", "The page, served at / beside the interface that it asks.");
  schema.value("web.root", c.web_root, "Folder with the built page; read at start. Empty: no page.");
  schema.bytes("web.max_bytes", c.web_max_bytes, "Its files together, at most.").range(1 << 10, 1 << 30);

  schema.section("demo",
                 "For development: POST /demo/token gives anybody a token of any user. Needs dev = true.");
  schema.value("demo.app_id", c.demo.app_id, "The app whose users they are.").not_empty().length(1, 64);
  schema
      .secret("demo.token_secret", c.demo.token_secret,
              "Signs them (HS256); the app's. Empty: no /demo/token.")
      .length(16, 4096);
  schema.value("demo.token_ttl_seconds", c.demo.token_ttl_seconds, "For how long they are good.")
      .range(1, 31'622'400);
  schema.check("demo.token_secret", [&c] {
    return std::string(c.demo.token_secret.empty() || c.common.dev ? "" : "needs dev = true");
  });
}

}  // namespace hongyan::iplist
