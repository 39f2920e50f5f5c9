#include "logic/user/gate_port.h"

#include "proto/client.pb.h"

namespace hongyan::logic {

void reply(const ReplyTo& to, std::string_view body) {
  if (to.seq != 0) to.gate->respond(to.seq, {.body = body});
}

void reply_error(const ReplyTo& to, const Error& error) {
  if (to.seq == 0) return;
  client::ErrorOnly message;
  message.mutable_error()->set_code(static_cast<client::ErrorCode>(error.code));
  message.mutable_error()->set_message(error.message);
  message.mutable_error()->set_retry_after_ms(error.retry_after_ms);
  to.gate->respond(to.seq, {.refused = true, .body = message.SerializeAsString()});
}

}  // namespace hongyan::logic
