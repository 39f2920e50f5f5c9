#include "logic/api/config.h"

#include "common/config/schema.h"

namespace hongyan::logic {

void bind(config::Schema& schema, ApiConfig& config) {
  schema.section("api", "The server API for business services.");
  schema.value("api.listen", config.listen, "Where it listens; \"\" turns it off.");
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
