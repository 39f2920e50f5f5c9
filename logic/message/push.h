// Step 3 of the pipeline: push to online devices. What becomes of a push: push_acks.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "logic/message/gate_pushes.h"
#include "logic/message/push_acks.h"
#include "logic/message/works.h"
#include "logic/user/thread_context.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// Pushes to the sessions of one slot thread's users; their acknowledgements are PushAcks'. A session with
// push_window unacknowledged pushes gets no more of them, and is told to pull later. One thread.
class Pusher {
 public:
  Pusher(ThreadContext& context, PushAcks& acks) : context_(context), acks_(acks) {}

  // A row is newly in the receiver's inbox. Pushes of a group's message are gathered: one packet a gate.
  void delivered(const DeliverWork& work);
  // Sends what was gathered. At the end of every turn.
  void flush();
  // A message that is not stored, to all of the user's devices. Nobody waits for its acknowledgement. False:
  // no link took it.
  [[nodiscard]] bool push_unstored(const User& user, const client::S2CPush& message);
  // A message is newly in the sender's outbox: the sender's other devices get a SENT_PUSH.
  void accepted(const AcceptWork& work);

 private:
  // A message to many, gathered within one turn.
  struct Gathered {
    std::uint32_t cmd_id = 0;
    std::uint32_t seq_field = 0;
    SharedBytes content;  // of the message: its address tells those who get the same
    SharedBytes body;
    GatePushes pushes;
  };

  // Whether the session gets this row as a push now.
  [[nodiscard]] bool takes(const User& user, Session& session, std::int64_t seq) const;
  void push(User& user, Session& session, std::uint32_t cmd_id, std::int64_t seq, MsgId msg_id,
            const SharedBytes& body);
  void gather(const User& user, const DeliverWork& work);
  [[nodiscard]] std::size_t place_of(const DeliverWork& work);

  ThreadContext& context_;
  PushAcks& acks_;
  std::vector<Gathered> gathered_;  // the first gathered_count_ of them; the others are kept
  std::size_t gathered_count_ = 0;
  std::map<std::pair<MsgId, const std::string*>, std::size_t> places_;  // in gathered_; by content, too
  std::uint64_t round_ = 1;                                             // of gathering
};

}  // namespace hongyan::logic
