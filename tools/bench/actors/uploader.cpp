#include "tools/bench/actors/uploader.h"

#include "tools/bench/actors/client_id.h"

namespace hongyan::bench {

Uploader::Uploader(Options options, const Content& content, Worker& worker, Shared& shared,
                   std::shared_ptr<Connection> connection)
    : id_(std::move(options.id)),
      content_(content),
      check_(content, /*delivery=*/false),
      sender_(
          {.command = client::COMMAND_C2S, .window = {.size = options.window, .delivery = false}},
          [this](std::uint32_t number) -> const google::protobuf::MessageLite& { return compose(number); },
          worker, shared, check_, std::move(connection)) {
  request_.set_destination(options.destination);
}

const client::C2SReq& Uploader::compose(std::uint32_t number) {
  content_.fill(*request_.mutable_content(), number);
  set_client_id(*request_.mutable_client_msg_id(), id_, number);
  return request_;
}

}  // namespace hongyan::bench
