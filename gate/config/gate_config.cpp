#include "gate/config/gate_config.h"

#include "common/net/packet.h"
#include "gate/transport/ws_handshake.h"

namespace hongyan::gate {

namespace {

void bind_limits(config::Schema& schema, GateConfig& c) {
  schema.value("gate.max_connections", c.max_connections, "Clients at once; more are closed on arrival.")
      .range(1, 10'000'000);
  schema
      .value("gate.max_connections_per_address", c.max_connections_per_address,
             "Clients at once from one address (IPv6: from one /64). 0: no limit.")
      .range(0, 10'000'000);
  schema.bytes("gate.max_body_bytes", c.max_body_bytes, "Largest body of a client's packet, once logged in.")
      .range(4 << 10, (1 << 20) - (1 << 10));
  schema
      .bytes("gate.max_output_bytes", c.max_output_bytes,
             "What may wait for one client that reads slowly; past it the client is closed.")
      .range(16 << 10, 64 << 20);
  schema.check("gate.max_output_bytes", [&c] {
    const bool enough = c.max_output_bytes >= 2 * (c.max_body_bytes + net::kHeaderSize);
    return std::string(enough ? "" : "must hold two packets with max_body_bytes");
  });
  schema
      .bytes("gate.max_held_bytes", c.max_held_bytes,
             "Unanswered requests of all clients; past it new ones are answered UNAVAILABLE.")
      .range(1 << 20, std::int64_t{16} << 30);
  schema
      .value("gate.max_in_flight", c.max_in_flight,
             "Unanswered requests of one client; past it no more is read from it.")
      .range(1, 65536);
  schema
      .bytes("gate.max_in_flight_bytes", c.max_in_flight_bytes,
             "Bodies of the unanswered requests of one client; past it no more is read from it.")
      .range(64 << 10, 64 << 20);
  schema
      .value("gate.requests_per_second", c.requests_per_second,
             "Of one client, with bursts of a second's worth; what comes faster is read later. 0: no limit.")
      .range(0.0, 1e9);
  schema
      .value("gate.packets_per_second", c.packets_per_second,
             "Of one client, with bursts of a second's worth; past it RATE_LIMITED. 0: no limit.")
      .range(0.0, 1e9);
  schema.bytes("gate.bytes_per_second", c.bytes_per_second, "The same in bytes.").range(0, 1 << 30);
}

void bind_times(config::Schema& schema, GateConfig& c) {
  schema
      .value("gate.login_deadline", c.login_deadline,
             "A client that has not logged in by then is closed, whatever it sends.")
      .range(Milliseconds(100), Milliseconds(600'000));
  schema
      .value(
          "gate.heartbeat", c.heartbeat,
          "One silent for 1.5 times that is closed. Not less than pipeline.heartbeat_seconds of logic, which "
          "clients are told.")
      .range(Milliseconds(100), Milliseconds(86'400'000));
  schema
      .value("gate.request_deadline", c.request_deadline,
             "A request is answered by then: by logic, or UNAVAILABLE (nobody had it), or DEADLINE_EXCEEDED.")
      .range(Milliseconds(100), Milliseconds(60'000));
  schema
      .value("gate.alive_report", c.alive_report, "How often logic hears that a session lives, when it does.")
      .range(Milliseconds(100), Milliseconds(3'600'000));
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
    for (const TransportKind kind : kAllTransports) any = any || c.listen(kind).set();
    return std::string(any ? "" : "no transport is on");
  });
  schema.value("listen.advertise", c.advertise,
               "The host that clients are told to connect to. Empty: the host that is listened on.");
  schema.check("listen.advertise", [&c] {
    for (const TransportKind kind : kAllTransports) {
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
}

void bind_websocket(config::Schema& schema, GateConfig& c) {
  schema.section("websocket", "Clients that come by WebSocket.");
  schema.list(
      "websocket.origins", c.ws_origins,
      "Pages of these origins may connect: \"https://chat.example.com\", \"http://127.0.0.1:*\" (any port), "
      "\"*\" (all). Clients without an Origin, which are no pages, always may.");
  schema.check("websocket.origins", [&c] {
    for (const auto& origin : c.ws_origins) {
      if (auto wrong = check_origin(origin); !wrong.empty()) return wrong;
    }
    return std::string();
  });
  schema
      .bytes("websocket.max_header_bytes", c.ws_max_header_bytes,
             "Of the HTTP request that opens a WebSocket; a longer one is answered 431.")
      .range(1 << 10, 64 << 10);
  schema
      .value("websocket.ping_interval", c.ws_ping_interval,
             "How often a client is pinged, so that proxies do not end a silent connection. 0: never.")
      .range(Milliseconds(0), Milliseconds(3'600'000));
}

}  // namespace

void bind(config::Schema& schema, GateConfig& c) {
  config::bind_common(schema, c.common, {.host = "127.0.0.1", .port = 9100});

  schema.section("gate", "Sessions of clients.");
  schema.value("gate.name", c.name, "This gate's name, unique in the cluster: \"gate-1\".")
      .required()
      .length(1, 64);
  schema.value("gate.workers", c.workers, "Event-loop threads; each has its own clients and links.")
      .range(1, 64);
  bind_limits(schema, c);
  bind_times(schema, c);
  schema.value("gate.min_client_version", c.min_client_version,
               "Protocol versions of clients below it are refused.");
  schema.value("gate.max_client_version", c.max_client_version, "The same above it.");
  schema.check("gate.min_client_version", [&c] {
    return std::string(c.min_client_version <= c.max_client_version ? "" : "is above max_client_version");
  });

  bind_listen(schema, c);
  bind_tls(schema, c);
  bind_websocket(schema, c);
}

const config::Endpoint& GateConfig::listen(TransportKind kind) const noexcept {
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
