#include "gate/forward/forwarder_options.h"

#include "common/config/schema.h"

namespace hongyan::gate {

void bind(config::Schema& schema, ForwarderOptions& o) {
  schema
      .bytes("gate.max_held_bytes", o.router.max_held_bytes,
             "Unanswered requests of all clients; past it new ones are answered UNAVAILABLE.")
      .range(1 << 20, std::int64_t{16} << 30);
  schema
      .value("gate.request_deadline", o.router.request_deadline,
             "A request is answered by then: by logic, or UNAVAILABLE (nobody had it), or DEADLINE_EXCEEDED.")
      .range(Milliseconds(100), Milliseconds(60'000));
  schema
      .value("gate.alive_report", o.alive_report, "How often logic hears that a session lives, when it does.")
      .range(Milliseconds(100), Milliseconds(3'600'000));
}

}  // namespace hongyan::gate
