#include "common/protocol/errors.h"

#include "proto/client.pb.h"
#include "proto/parse.h"

namespace hongyan::protocol {

std::string error_body(const Error& error) {
  client::ErrorOnly body;
  auto& wire = *body.mutable_error();
  wire.set_code(static_cast<client::ErrorCode>(error.code));
  wire.set_message(error.message);
  wire.set_retry_after_ms(error.retry_after_ms);
  return body.SerializeAsString();
}

Error error_of(std::string_view body) {
  client::ErrorOnly only;
  if (!parse(only, body) || !only.has_error()) return {Code::kInternal, "an answer that does not parse"};
  return {static_cast<Code>(only.error().code()), only.error().message(), only.error().retry_after_ms()};
}

}  // namespace hongyan::protocol
