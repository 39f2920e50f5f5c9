// The acknowledgements of pushes: which are awaited, and what is done when they come, come late, or never do.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "logic/message/ack_timers.h"
#include "logic/message/steps.h"
#include "logic/user/cursors.h"
#include "logic/user/request.h"
#include "logic/user/thread_context.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// What the sessions of one slot thread's users were pushed and have not acknowledged. One thread.
//
// A push that is not acknowledged within ack_timeout goes out once more; unacknowledged again, it is told of
// as undelivered, and the session gets a SYNC_NOTIFY at its next sign of life, if it then holds less than the
// inbox. A late acknowledgement is such a sign, and moves the cursor as one in time does. A session that was
// left out of pushes gets a SYNC_NOTIFY once it has acknowledged half of push_window.
class PushAcks {
 public:
  PushAcks(ThreadContext& context, Cursors& cursors, Steps& steps)
      : context_(context), cursors_(cursors), steps_(steps), timers_(context) {}

  // The session was pushed this, and is to acknowledge it.
  void sent(Session& session, UnackedPush push);

  // A PushAck of a client. Acks beyond the tail or backwards are counted and ignored.
  void ack(const Request& request);
  // The device holds its inbox up to seq, by PushAck or by the offset of a pull.
  void acked_inbox(User& user, Session* session, DeviceClass device_class, std::int64_t seq);
  void acked_outbox(User& user, DeviceClass device_class, std::int64_t seq);

  // A packet came from the session.
  void sign_of_life(User& user, Session& session);
  // There is more to pull. group_id 0: of the boxes; else of this large group, up to group_seq.
  void sync_notify(const User& user, Session& session, std::int64_t group_id = 0, std::int64_t group_seq = 0);

  // Sessions come and go: timers find them by number.
  void session_opened(User& user, Session& session) {
    live_[session.number] = {&user, &session};
    steps_.session_opened(user);
  }
  void session_closed(Session& session);

  // Pushes whose time has come.
  void tick() {
    timers_.run([this](const Awaited& awaited) { due(awaited); });
  }

  struct Live {
    User* user = nullptr;
    Session* session = nullptr;
  };
  // By its number; nothing when it has ended.
  [[nodiscard]] Live find(std::uint64_t session) const;

 private:
  // A push that is not acknowledged yet.
  struct Awaited {
    std::uint64_t session = 0;
    std::int64_t seq = 0;
    bool again = false;  // the push was sent twice already
  };

  void due(const Awaited& awaited);
  void retain(std::int64_t bytes) { retained_bytes_ += bytes; }

  ThreadContext& context_;
  Cursors& cursors_;
  Steps& steps_;
  std::unordered_map<std::uint64_t, Live> live_;  // by session number
  AckTimers<Awaited> timers_;
  std::int64_t retained_bytes_ = 0;
  client::PushAck ack_;
};

}  // namespace hongyan::logic
