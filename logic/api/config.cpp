#include "logic/api/config.h"

#include "common/config/schema.h"
#include "common/net/network.h"

namespace hongyan::logic {

void bind(config::Schema& schema, ApiConfig& config) {
  schema.section("api", "The server API for business services.");
  schema.value("api.listen", config.listen, "Where it listens; \"\" turns it off.");
  schema.value("api.certificate_file", config.certificate.certificate,
               "PEM: a certificate, then those that lead to the CA, for HTTPS (TLS 1.2 and later); SIGHUP "
               "reads it and its "
               "key anew. Empty: plain HTTP.");
  schema.value("api.key_file", config.certificate.key, "PEM: the certificate's private key.");
  schema.check("api.certificate_file", [&config] { return daemon::check_certificate(config.certificate); });
  schema
      .value(
          "api.max_connections", config.max_connections,
          "Callers at once. Full: the connection that has been idle longest makes room; when none is, 503.")
      .range(1, 100'000);
  schema
      .value("api.max_connections_per_address", config.max_connections_per_address,
             "The same of one address (IPv6: of one /64). 0: no limit.")
      .range(0, 100'000);
  schema.list("api.exempt", config.exempt,
              "Networks that this limit does not count, a load balancer's say: \"10.0.0.0/8\".");
  schema.check("api.exempt", [&config] { return net::check_networks(config.exempt); });
  schema.bytes("api.max_body_bytes", config.max_body_bytes, "Largest body of a call.")
      .range(4 << 10, 64 << 20);
  schema
      .bytes(
          "api.max_content_bytes", config.max_content_bytes,
          "Largest content of a message: 1 KiB less than gate.max_body_bytes, or no gate could pass it on.")
      .range(1 << 10, (1 << 20) - (2 << 10));
  schema.value("api.max_targets", config.max_targets, "Most users in one call.").range(1, 10'000);
  schema
      .value("api.calls_per_second", config.calls_per_second,
             "Of one key on this node, with bursts of a second's worth; past it RATE_LIMITED. 0: no limit.")
      .range(0.0, 1e9);
}

}  // namespace hongyan::logic
