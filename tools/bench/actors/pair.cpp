#include "tools/bench/actors/pair.h"

#include "tools/bench/actors/client_id.h"

namespace hongyan::bench {

Pair::Pair(Options options, const Content& content, Worker& worker, Shared& shared, User sender,
           User receiver)
    : id_(std::move(options.id)),
      content_(content),
      check_(content, /*delivery=*/true),
      sender_(
          {.command = client::COMMAND_C2C_SEND, .window = {.size = options.window, .delivery = true}},
          [this](std::uint32_t number) -> const google::protobuf::MessageLite& { return compose(number); },
          worker, shared, check_, std::move(sender.connection)),
      receiver_(options.receiver, receiver.login.inbox_seq(), shared, std::move(receiver.connection),
                [this](const Delivery& delivery, SteadyTime now) { on_delivery(delivery, now); }) {
  request_.set_from(options.sender);
  request_.set_to(options.receiver);
}

void Pair::start(std::optional<Schedule> schedule) {
  receiver_.start();
  sender_.start(schedule);
}

void Pair::close() {
  sender_.close();
  receiver_.close();
}

const client::C2CSendReq& Pair::compose(std::uint32_t number) {
  content_.fill(*request_.mutable_content(), number);
  set_client_id(*request_.mutable_client_msg_id(), id_, number);
  return request_;
}

void Pair::on_delivery(const Delivery& delivery, SteadyTime now) {
  const auto number = number_of_client_id(delivery.client_msg_id, id_);
  if (!number) return check_.stranger();
  if (check_.delivered(*number, delivery.content)) sender_.delivered(*number, now);
}

Faults Pair::faults() const noexcept {
  Faults faults = check_.faults();
  faults.holes += receiver_.holes();
  return faults;
}

}  // namespace hongyan::bench
