#include "logic/user/config.h"

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

void bind(config::Schema& schema, GroupConfig& group) {
  schema.section("group", "Groups and their limits.");
  schema
      .value(
          "group.large_threshold", group.large_threshold,
          "A group with more members keeps each message once, from then on; smaller ones have a row for each "
          "member.")
      .range(1, 1'000'000);
  schema.value("group.max_members", group.max_members, "Members of a group.").range(1, 1'000'000);
  schema.value("group.max_members_of_call", group.max_members_of_call, "Members named in one command.")
      .range(1, 10'000);
  schema.value("group.max_name_bytes", group.max_name_bytes, "Bytes of a group's name.").range(1, 256);
  schema
      .value("group.max_announcement_bytes", group.max_announcement_bytes, "Bytes of a group's announcement.")
      .range(0, 65'535);
  schema.value("group.max_mentions", group.max_mentions, "Users that one message mentions.").range(0, 400);
  schema
      .value("group.max_groups_of_user", group.max_groups_of_user,
             "Who is in as many groups creates no more of them.")
      .range(1, 1'000'000);
  schema
      .value("group.members_in_memory", group.members_in_memory,
             "Members of groups that a slot thread remembers.")
      .range(1000, 1'000'000'000);
}

}  // namespace hongyan::logic
