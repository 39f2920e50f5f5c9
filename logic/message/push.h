// Steps 3 and 4 of the pipeline: push to online devices, follow their acknowledgements, push once more.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "logic/message/accept.h"
#include "logic/message/ack_timers.h"
#include "logic/message/gate_pushes.h"
#include "logic/message/lane.h"
#include "logic/user/cursors.h"
#include "logic/user/request.h"
#include "logic/user/thread_context.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// Pushes to the sessions of one slot thread's users. One thread.
//
// A push that is not acknowledged within ack_timeout goes out once more; unacknowledged again, the session
// gets a SYNC_NOTIFY at its next sign of life. A session with push_window unacknowledged pushes gets no more
// of them but a SYNC_NOTIFY once it has acknowledged half.
class Pusher {
 public:
  Pusher(ThreadContext& context, Cursors& cursors, Steps& steps)
      : context_(context), cursors_(cursors), steps_(steps), timers_(context) {}

  // A row is newly in the receiver's inbox. Pushes of a group's message are gathered: one packet a gate.
  void delivered(const DeliverWork& work);
  // Sends what was gathered. At the end of every turn.
  void flush();
  // A message that is not stored, to all of the user's devices. Nobody waits for its acknowledgement. False:
  // no link took it.
  [[nodiscard]] bool push_unstored(const User& user, const client::S2CPush& message);
  // A message is newly in the sender's outbox: the sender's other devices get a SENT_PUSH.
  void accepted(const AcceptWork& work);

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
  void session_opened(User& user, Session& session) { live_[session.number] = {&user, &session}; }
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

  // A message to many, gathered within one turn.
  struct Gathered {
    std::uint32_t cmd_id = 0;
    std::uint32_t seq_field = 0;
    SharedBytes body;
    GatePushes pushes;
  };

  // Whether the session gets this row as a push now.
  [[nodiscard]] bool takes(const User& user, Session& session, std::int64_t seq) const;
  void push(User& user, Session& session, std::uint32_t cmd_id, std::int64_t seq, MsgId msg_id,
            const SharedBytes& body);
  void gather(const User& user, const DeliverWork& work);
  [[nodiscard]] std::size_t place_of(const DeliverWork& work);
  // Sent: remembers that an acknowledgement is due.
  void sent(Session& session, UnackedPush push);
  void due(const Awaited& awaited);
  void retain(std::int64_t bytes) { retained_bytes_ += bytes; }

  ThreadContext& context_;
  Cursors& cursors_;
  Steps& steps_;
  std::unordered_map<std::uint64_t, Live> live_;  // by session number
  AckTimers<Awaited> timers_;
  std::int64_t retained_bytes_ = 0;
  std::vector<Gathered> gathered_;  // the first gathered_count_ of them; the others are kept
  std::size_t gathered_count_ = 0;
  std::unordered_map<MsgId, std::size_t> places_;  // in gathered_
  std::uint64_t round_ = 1;                        // of gathering
  client::PushAck ack_;
};

}  // namespace hongyan::logic
