#include "logic/user/gate_port.h"

#include "common/protocol/errors.h"

namespace hongyan::logic {

void reply(const ReplyTo& to, std::string_view body) {
  if (to.seq != 0) to.gate->respond(to.seq, {.body = body});
}

void reply_error(const ReplyTo& to, const Error& error) {
  if (to.seq == 0) return;
  const std::string body = protocol::error_body(error);
  to.gate->respond(to.seq, {.refused = true, .body = body});
}

}  // namespace hongyan::logic
