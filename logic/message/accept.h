// Step 1 of the pipeline: store in the sender's outbox, then acknowledge the sender.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "logic/message/steps.h"
#include "logic/message/works.h"
#include "logic/user/check_id.h"
#include "logic/user/request.h"
#include "logic/user/thread_context.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// A message that somebody wants sent; the ids are not checked yet.
struct NewMessage {
  Message message;  // to or group_id; neither: it creates a group
  // The sender may not send this: an earlier attempt is answered, else it is refused with this error.
  std::optional<Error> unless_stored = {};
  std::size_t cost = 0;  // as fan_out_cost.h tells; 0: of a message to one user
};

// Takes sends of the users of one slot thread. One thread.
//
// A user's sends may store rules->fan_out bytes, at all who get them; past it they are refused with RATE_LIMITED
// before anything is stored. What then is not stored is given back.
//
// Dedup (invariant I4): a client_msg_id that is on its way gets the answer of the first attempt; one that is
// stored is found by the unique key of im_message_send and answered with its msg_id. Reused for another
// target: ALREADY_EXISTS.
class Accept {
 public:
  Accept(ThreadContext& context, Steps& steps) : context_(context), steps_(steps) {}

  // C2C_SEND. Answers now when it is refused, else when it is durable.
  void c2c(const Request& request);

  // A message of the request's user. Answers a C2CSendResp (for groups: the same fields) as c2c() does.
  // False: it was refused, or joined to an attempt that is on its way.
  bool send(const Request& request, NewMessage message);

  // The writer is through with it.
  void finished(AcceptWork& work);

 private:
  [[nodiscard]] Status check_room(const User& user, std::int32_t command) const;
  // Takes what the message costs its sender. False: it is too much, and the request is refused.
  [[nodiscard]] bool pay(User& user, const Request& request, double cost) const;
  // True when an attempt with this id is on its way: the request was joined to it, or refused.
  [[nodiscard]] bool join(User& user, const Request& request, const Message& message);
  void answer(AcceptWork& work);
  void refuse(const ReplyTo& to, const AcceptWork& work) const;
  void left(AcceptWork& work);

  ThreadContext& context_;
  Steps& steps_;
  client::C2CSendReq request_;  // reused, so that parsing allocates little
  client::C2CSendResp response_;
  std::string buffer_;
};

}  // namespace hongyan::logic
