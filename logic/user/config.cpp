#include "logic/user/config.h"

#include "common/config/schema.h"

namespace hongyan::logic {

void bind(config::Schema& schema, PipelineConfig& pipeline) {
  schema.section("pipeline", "How messages go from sender to receiver.");
  schema
      .value("pipeline.accept_deadline", pipeline.accept_deadline,
             "A send that storage has not begun by then is refused with UNAVAILABLE.")
      .range(Milliseconds(100), Milliseconds(60'000));
  schema
      .value("pipeline.ack_timeout", pipeline.ack_timeout,
             "A push not acknowledged for so long goes out once more.")
      .range(Milliseconds(100), Milliseconds(600'000));
  schema
      .value("pipeline.pending_after", pipeline.pending_after,
             "Fan-out unfinished for so long is noted in im_pending.")
      .range(Milliseconds(1000), Milliseconds(600'000));
  schema
      .value("pipeline.gate_grace", pipeline.gate_grace,
             "Sessions of a gate whose link broke are kept so long; it announces them again when it is back.")
      .range(Milliseconds(1000), Milliseconds(600'000));
  schema
      .value("pipeline.heartbeat_seconds", pipeline.heartbeat_seconds,
             "How often clients say something, as they are told at login. gate.heartbeat must not be less.")
      .range(5, 3600);
  schema
      .bytes(
          "pipeline.max_unfinished_bytes", pipeline.max_unfinished_bytes,
          "Accepted messages not yet fanned out, a slot thread; past it sends are refused with UNAVAILABLE.")
      .range(1 << 20, std::int64_t{64} << 30);
  schema
      .value("pipeline.max_sends_of_user", pipeline.max_sends_of_user,
             "Unanswered sends of one user; past it sends are refused with UNAVAILABLE.")
      .range(1, 1'000'000);
  schema
      .value("pipeline.max_sends_of_service", pipeline.max_sends_of_service,
             "The same for one sender of the server API's messages.")
      .range(1, 1'000'000);
  schema
      .value("pipeline.max_uploads_of_user", pipeline.max_uploads_of_user,
             "Uploads of one user that Kafka has not confirmed; past it RATE_LIMITED.")
      .range(1, 1'000'000);
  schema
      .bytes("pipeline.max_upload_bytes_of_user", pipeline.max_upload_bytes_of_user,
             "The same in bytes; one upload always passes.")
      .range(1 << 10, std::int64_t{64} << 30);
  schema
      .bytes("pipeline.max_lane_bytes", pipeline.max_lane_bytes,
             "Contents that one lane (source slot to destination slot) keeps in memory; beyond it they are "
             "read again.")
      .range(64 << 10, 1 << 30);
  schema
      .value("pipeline.push_window", pipeline.push_window,
             "Unacknowledged pushes of a session; past it the client is told to pull.")
      .range(1, 100'000);
  schema
      .bytes("pipeline.max_retained_push_bytes", pipeline.max_retained_push_bytes,
             "Bodies kept for the one resend, a slot thread; past it the resend is a SYNC_NOTIFY.")
      .range(1 << 20, std::int64_t{64} << 30);
  schema.bytes("pipeline.pull_bytes", pipeline.pull_bytes, "Messages in one page of a pull.")
      .range(1 << 10, 512 << 10);
  schema
      .value("pipeline.cursor_flush", pipeline.cursor_flush,
             "What devices acknowledged is written so often; kill -9 forgets at most so much.")
      .range(Milliseconds(100), Milliseconds(600'000));
  schema
      .value("pipeline.users_in_memory", pipeline.users_in_memory,
             "Users that a slot thread remembers; online users count, and always stay.")
      .range(1000, 100'000'000);
}

}  // namespace hongyan::logic
