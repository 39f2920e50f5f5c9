#include "tools/bench/actors/sender.h"

#include <algorithm>

#include "proto/parse.h"

namespace hongyan::bench {

namespace {
constexpr std::uint32_t kFirstSeq = 16;  // below: AUTH, LOGOUT
constexpr std::uint32_t kLeastRetryMs = 50;
}  // namespace

void Sender::start(std::optional<Schedule> schedule) {
  connection_->run(
      {.on_packet = [this](const net::Packet& packet) { take(packet); },
       .on_lost =
           [this](const std::string& why) { shared_.give_up("a sender's connection was lost: " + why); }});
  begin(schedule);
}

void Sender::begin(std::optional<Schedule> schedule) {
  if (schedule) window_.keep_to(*schedule);
  send(SteadyClock::now());
}

void Sender::send(SteadyTime now) {
  while (check_.next_number() < options_.most && window_.begin(check_.next_number(), now)) {
    transmit(check_.next_number());
    check_.sent();
  }
}

void Sender::delivered(std::uint32_t number, SteadyTime now) {
  if (window_.delivered(number, now)) send(now);
}

void Sender::transmit(std::uint32_t number) {
  connection_->queue(options_.command, kFirstSeq + number, compose_(number));
}

void Sender::take(const net::Packet& packet) {
  if (packet.header.cmd_id == client::COMMAND_KICKOUT) return shared_.give_up("a sender was kicked out");
  if (packet.header.cmd_id != static_cast<std::uint32_t>(options_.command) || packet.header.seq < kFirstSeq)
    return;
  if (!parse(response_, packet.body)) {
    return shared_.give_up("an answer does not parse");
  }
  const std::uint32_t number = packet.header.seq - kFirstSeq;
  switch (response_.error().code()) {
    case client::ERROR_CODE_OK:
      if (response_.msg_id() == 0) return shared_.give_up("an acknowledgement has no msg_id");
      if (check_.acknowledged(number) && window_.acknowledged(number, connection_->read_at())) {
        send(connection_->read_at());
      }
      return;
    case client::ERROR_CODE_UNAVAILABLE:
    case client::ERROR_CODE_RATE_LIMITED:
    case client::ERROR_CODE_DEADLINE_EXCEEDED:
    case client::ERROR_CODE_INTERNAL:
      shared_.refused.fetch_add(1, std::memory_order_relaxed);
      check_.refused(number);
      return retry_later(number, response_.error().retry_after_ms());
    default:
      return shared_.give_up("a send was refused: " + client::ErrorCode_Name(response_.error().code()) + " " +
                             response_.error().message());
  }
}

void Sender::retry_later(std::uint32_t number, std::uint32_t retry_after_ms) {
  auto timer = std::make_shared<net::Timer>(worker_.loop.executor());
  timer->expires_after(Milliseconds(std::max(kLeastRetryMs, retry_after_ms)));
  timer->async_wait([this, timer, number](net::error_code ec) {
    if (!ec && window_.holds(number)) transmit(number);
  });
}

}  // namespace hongyan::bench
