#include "gate/session/session_options.h"

#include "common/config/schema.h"
#include "common/net/packet.h"

namespace hongyan::gate {

void bind(config::Schema& schema, SessionOptions& o) {
  schema.bytes("gate.max_body_bytes", o.max_body_bytes, "Largest body of a client's packet, once logged in.")
      .range(4 << 10, (1 << 20) - (1 << 10));
  schema
      .bytes("gate.max_body_before_login", o.max_body_before_login,
             "Largest body until then, of an AUTH with its token; so much may wait behind an AUTH, too.")
      .range(512, 64 << 10);
  schema.check("gate.max_body_before_login", [&o] {
    return std::string(o.max_body_before_login <= o.max_body_bytes ? "" : "is above max_body_bytes");
  });
  schema
      .bytes("gate.max_output_bytes", o.max_output_bytes,
             "What may wait for one client that reads slowly; past it the client is closed.")
      .range(16 << 10, 64 << 20);
  schema.check("gate.max_output_bytes", [&o] {
    const bool enough = o.max_output_bytes >= 2 * (o.max_body_bytes + net::kHeaderSize);
    return std::string(enough ? "" : "must hold two packets with max_body_bytes");
  });
  schema
      .bytes("gate.max_unsent_bytes", o.max_unsent_bytes,
             "What the system keeps besides, not sent yet (TCP_NOTSENT_LOWAT). 0: as much as it likes.")
      .range(0, 64 << 20);
  schema
      .value("gate.max_in_flight", o.max_in_flight,
             "Unanswered requests of one client; past it no more is read from it.")
      .range(1, 65536);
  schema
      .bytes("gate.max_in_flight_bytes", o.max_in_flight_bytes,
             "Bodies of the unanswered requests of one client; past it no more is read from it.")
      .range(64 << 10, 64 << 20);
  schema
      .value("gate.requests_per_second", o.requests_per_second,
             "Of one client, with bursts of a second's worth; what comes faster is read later. 0: no limit.")
      .range(0.0, 1e9);
  schema
      .value("gate.packets_per_second", o.packets_per_second,
             "Of one client, with bursts of a second's worth; past it RATE_LIMITED. 0: no limit.")
      .range(0.0, 1e9);
  schema.bytes("gate.bytes_per_second", o.bytes_per_second, "The same in bytes.").range(0, 1 << 30);
  schema
      .value("gate.rate_grace", o.rate_grace,
             "A client that exceeds the two for so long, or sends so much too much, is closed: RATE_LIMITED.")
      .range(Milliseconds(0), Milliseconds(3'600'000));
  schema
      .value("gate.packets_per_second_before_login", o.packets_per_second_before_login,
             "Of one client until it has logged in; past it RATE_LIMITED, and closed. 0: packets_per_second.")
      .range(0.0, 1e9);
  schema
      .value("gate.max_refused_logins", o.max_refused_logins,
             "A client whose logins were refused so often, without one that was not, is closed.")
      .range(1, 1000);
  schema
      .value("gate.login_deadline", o.login_deadline,
             "A client that has not logged in by then is closed, whatever it sends.")
      .range(Milliseconds(100), Milliseconds(600'000));
  schema
      .value(
          "gate.heartbeat", o.heartbeat,
          "One silent for 1.5 times that is closed. Not less than pipeline.heartbeat_seconds of logic, which "
          "clients are told.")
      .range(Milliseconds(100), Milliseconds(86'400'000));
  schema.value("gate.min_client_version", o.min_client_version,
               "Protocol versions of clients below it are refused.");
  schema.value("gate.max_client_version", o.max_client_version, "The same above it.");
  schema.check("gate.min_client_version", [&o] {
    return std::string(o.min_client_version <= o.max_client_version ? "" : "is above max_client_version");
  });
}

}  // namespace hongyan::gate
