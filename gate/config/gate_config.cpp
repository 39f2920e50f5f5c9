#include "gate/config/gate_config.h"

#include <algorithm>

#include "common/config/schema.h"
#include "common/daemon/certificate.h"
#include "common/net/listen.h"
#include "common/net/tls.h"

namespace hongyan::gate {

namespace {

void bind_gate(config::Schema& schema, GateConfig& c) {
  schema.section("gate", "Sessions of clients.");
  schema.value("gate.name", c.name, "This gate's name, unique in the cluster: \"gate-1\".")
      .required()
      .length(1, 64);
  schema.value("gate.workers", c.workers, "Event-loop threads; each has its own clients and links.")
      .range(1, 64);
  schema.value("gate.max_connections", c.max_connections, "Clients at once; more are closed on arrival.")
      .range(1, 10'000'000);
  schema
      .value("gate.max_connections_per_address", c.max_connections_per_address,
             "Clients at once from one address (IPv6: from one /64). 0: no limit.")
      .range(0, 10'000'000);
  bind(schema, c.session);
  bind(schema, c.forwarder);
  schema
      .value("gate.drain_spread", c.drain_spread,
             "On stop, clients are asked to reconnect elsewhere spread over this time.")
      .range(Milliseconds(0), Milliseconds(600'000));
  schema
      .value("gate.drain_deadline", c.drain_deadline, "On stop, the time for clients to be told and closed.")
      .range(Milliseconds(100), Milliseconds(60'000));
}

void bind_listen(config::Schema& schema, GateConfig& c) {
  schema.section("listen", "Where clients connect, by transport; \"\" turns one off.");
  schema.value("listen.tcp", c.tcp, "Plain TCP. Port 0: the system chooses; the log tells.");
  schema.value("listen.tls", c.tls, "TLS, usually port 7443; needs [tls].");
  schema.value("listen.ws", c.ws, "WebSocket.");
  schema.value("listen.wss", c.wss, "WebSocket over TLS, usually port 7444; needs [tls].");
  schema.check("listen.tcp", [&c] {
    bool any = false;
    for (const TransportKind kind : protocol::kAllTransports) any = any || c.listen(kind).set();
    return std::string(any ? "" : "no transport is on");
  });
  for (const TransportKind kind : protocol::kAllTransports) {
    schema.check("listen." + std::string(to_string(kind)),
                 [&c, kind] { return net::check_listen_host(c.listen(kind).host); });
  }
  schema.check("metrics.listen", [&c] { return net::check_listen_host(c.common.metrics.listen.host); });
  schema.value("listen.advertise", c.advertise,
               "The host that clients are told to connect to. Empty: the host that is listened on.");
  schema.check("listen.advertise", [&c] {
    for (const TransportKind kind : protocol::kAllTransports) {
      if (!c.listen(kind).set()) continue;
      auto wrong = config::unreachable_advertise(c.listen(kind), c.advertise, c.common.cluster);
      if (!wrong.empty()) return wrong;
    }
    return std::string();
  });
}

void bind_tls(config::Schema& schema, GateConfig& c) {
  schema.section(
      "tls", "TLS 1.2 and later, for listen.tls and listen.wss. SIGHUP makes the gate read both files anew.");
  schema.value("tls.certificate_file", c.certificate_file,
               "PEM: the gate's certificate, then those that lead to the CA.");
  schema.value("tls.key_file", c.key_file, "PEM: the certificate's private key.");
  schema.check("tls.certificate_file", [&c] {
    const bool complete = !c.certificate_file.empty() && !c.key_file.empty();
    return std::string(
        !c.uses_tls() || complete ? "" : "listen.tls and listen.wss need certificate_file and key_file");
  });
  schema.check("tls.key_file", [&c] {
    if (!c.uses_tls() || c.certificate_file.empty() || c.key_file.empty()) return std::string();
    return daemon::check_certificate({.certificate = c.certificate_file, .key = c.key_file});
  });
}

}  // namespace

void bind(config::Schema& schema, GateConfig& c) {
  config::bind_common(schema, c.common, {.host = "127.0.0.1", .port = 9100});
  bind_gate(schema, c);
  bind_listen(schema, c);
  bind_tls(schema, c);
  bind(schema, c.admission);
  bind(schema, c.websocket);
}

std::uint32_t connections_within(std::size_t descriptors, std::uint32_t workers) noexcept {
  // A worker's own, and its links to some logic nodes; where there are few, they are shared.
  const std::size_t own = std::min(std::size_t{128} + std::size_t{64} * workers, descriptors / 2);
  return static_cast<std::uint32_t>(std::min(descriptors - own, std::size_t{0xFFFFFFFF}));
}

const Endpoint& GateConfig::listen(TransportKind kind) const noexcept {
  switch (kind) {
    case TransportKind::kTcp:
      return tcp;
    case TransportKind::kTls:
      return tls;
    case TransportKind::kWs:
      return ws;
    case TransportKind::kWss:
      break;
  }
  return wss;
}

}  // namespace hongyan::gate
