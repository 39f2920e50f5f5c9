#include "gate/session/admission_options.h"

#include "common/config/schema.h"
#include "common/net/network.h"

namespace hongyan::gate {

namespace {

constexpr std::uint32_t kMostClients = 10'000'000;

void bind_rates(config::Schema& schema, AdmissionOptions& o) {
  const auto rate = [&schema](const char* name, double& field, const char* help) {
    schema.value(name, field, help).range(0.0, 1e9);
  };
  const auto count = [&schema](const char* name, std::uint32_t& field, std::uint32_t least,
                               const char* help) {
    schema.value(name, field, help).range(least, kMostClients);
  };
  rate("admission.connections_per_second", o.connections_per_second,
       "New connections of one address; past it they are closed on arrival. 0: no limit.");
  count("admission.connection_burst", o.connection_burst, 1, "So many may come at once.");
  rate("admission.handshakes_per_second", o.handshakes_per_second,
       "TLS handshakes begun by one address; past it they are closed. 0: no limit.");
  count("admission.handshake_burst", o.handshake_burst, 1, "So many may be begun at once.");
  count("admission.max_handshakes_per_address", o.max_handshakes_per_address, 0,
        "TLS handshakes of one address under way. 0: no limit.");
  count("admission.max_handshakes", o.max_handshakes, 1,
        "Of all; for one more the oldest of them is closed, if it has had a second.");
  count("admission.max_pending_per_address", o.max_pending_per_address, 0,
        "Connections of one address that have not logged in yet. 0: no limit.");
  count("admission.max_pending", o.max_pending, 1,
        "Of all; for one more the oldest of them is closed, if it has had a second.");
  rate("admission.refused_logins_per_second", o.refused_logins_per_second,
       "Logins of one address, of exempt ones too, that logic refuses; past it AUTH is answered "
       "RATE_LIMITED. 0: no "
       "limit.");
  count("admission.refused_login_burst", o.refused_login_burst, 1, "So many may be refused at once.");
}

}  // namespace

void bind(config::Schema& schema, AdmissionOptions& o) {
  schema.section("admission",
                 "What one address may take of the gate before its clients have logged in; each gate counts "
                 "for itself.");
  bind_rates(schema, o);
  schema
      .value("admission.ipv4_prefix", o.ipv4_prefix, "Addresses of IPv4 with so many bits in common are one.")
      .range(8, 32);
  schema
      .value("admission.ipv6_prefix", o.ipv6_prefix, "The same of IPv6: a customer usually has a whole /64.")
      .range(16, 128);
  schema.list(
      "admission.exempt", o.exempt,
      "Networks whose connections are not limited by address, but for refused logins: [\"10.0.0.0/8\", "
      "\"::1\"]. What holds for all together holds for them too.");
  schema.check("admission.exempt", [&o] { return net::check_networks(o.exempt); });
  schema
      .value("admission.max_addresses", o.max_addresses,
             "So many addresses without a connection are remembered, those seen last.")
      .range(16, kMostClients);
  schema.list("admission.proxy_protocol_from", o.proxy_protocol_from,
              "Proxies in front of the gate, as networks: every connection of them begins with a PROXY "
              "header (version "
              "1 or 2), and the address in it is the client's.");
  schema.check("admission.proxy_protocol_from", [&o] { return net::check_networks(o.proxy_protocol_from); });
}

}  // namespace hongyan::gate
