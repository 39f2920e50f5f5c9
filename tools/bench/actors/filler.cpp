#include "tools/bench/actors/filler.h"

#include "tools/bench/actors/client_id.h"

namespace hongyan::bench {

Filler::Filler(const Options& options, const Content& content, Worker& worker, Shared& shared,
               std::shared_ptr<Connection> connection)
    : id_(options.id),
      content_(content),
      check_(content, /*delivery=*/false),
      sender_(
          {.command = client::COMMAND_C2C_SEND,
           .window = {.size = options.window, .delivery = false},
           .most = options.messages},
          [this](std::uint32_t number) -> const google::protobuf::MessageLite& { return compose(number); },
          worker, shared, check_, std::move(connection)) {
  request_.set_from(options.from);
  request_.set_to(options.to);
}

const client::C2CSendReq& Filler::compose(std::uint32_t number) {
  content_.fill(*request_.mutable_content(), number);
  set_client_id(*request_.mutable_client_msg_id(), id_, number);
  return request_;
}

}  // namespace hongyan::bench
