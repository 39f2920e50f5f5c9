// [pipeline] of logic's configuration: limits and times of a slot thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

// Most of it is read in logic/message and above, but users, cursors and ThreadContext here read it too, and an
// include runs downward only.
struct PipelineConfig {
  Milliseconds accept_deadline{2500};     // a send not begun by the writer until then is refused
  Milliseconds ack_timeout{5000};         // a push without acknowledgement is sent again, once
  Milliseconds pending_after{10'000};     // fan-out unfinished for so long goes to im_pending
  Milliseconds gate_grace{10'000};        // a gate's sessions are kept so long after its link broke
  std::uint32_t heartbeat_seconds = 270;  // told to clients
  std::size_t max_unfinished_bytes =
      256 << 20;  // a thread's accepted messages not fanned out; past it: UNAVAILABLE
  // Sends of one user not answered yet; past it: UNAVAILABLE. What keeps one busy user from filling the
  // writer's queue before all others.
  std::size_t max_sends_of_user = 256;
  std::size_t max_sends_of_service = 10'000;  // the same for a sender of the server API
  // The same for uploads, and for their bytes: while Kafka is away they wait in memory.
  std::size_t max_uploads_of_user = 1000;
  std::size_t max_upload_bytes_of_user = 2 << 20;
  std::size_t max_lane_bytes = 8 << 20;  // contents a lane keeps in memory; beyond it is read again when due
  std::size_t lane_batch_rows = 256;
  std::size_t push_window =
      1024;  // unacknowledged pushes of a session; past it: SYNC_NOTIFY once acknowledged
  std::size_t max_retained_push_bytes = 64 << 20;  // a thread's bodies kept for the one resend
  std::size_t pull_bytes = 256 << 10;              // messages in one PullResp
  Milliseconds cursor_flush{5000};                 // what devices acknowledged is written so often
  std::size_t users_in_memory = 1'000'000;         // a thread's
};

// The configuration outlives the schema.
void bind(config::Schema& schema, PipelineConfig& config);

}  // namespace hongyan::logic
