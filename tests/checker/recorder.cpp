#include "tests/checker/recorder.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "common/net/packet.h"

namespace hongyan::checker {

namespace {

template <typename Body>
bool parse(Body& body, const net::Packet& packet) {
  return body.ParseFromArray(packet.body.data(), static_cast<int>(packet.body.size()));
}

// Passes everything on and shows whole packets to the recorder.
class Tap final : public client::Transport {
 public:
  Tap(Recorder& recorder, Seat seat, const net::Executor& executor)
      : recorder_(recorder), seat_(std::move(seat)), inner_(client::make_tcp_transport(executor)) {}

  net::Awaitable<Status> connect(client::Endpoint endpoint, Milliseconds timeout) override {
    return inner_->connect(std::move(endpoint), timeout);
  }

  net::Awaitable<Result<std::size_t>> read_some(net::asio::mutable_buffer into) override {
    auto size = co_await inner_->read_some(into);
    if (size) look(in_, {static_cast<const char*>(into.data()), *size}, &Tap::received);
    co_return size;
  }

  net::Awaitable<Status> write(std::string_view bytes) override {
    look(out_, bytes, &Tap::sent);
    return inner_->write(bytes);
  }

  void close() noexcept override { inner_->close(); }

 private:
  void look(net::PacketDecoder& decoder, std::string_view bytes, void (Tap::*see)(const net::Packet&)) {
    decoder.feed(bytes);
    for (;;) {
      const auto packet = decoder.next();
      if (!packet) return;  // the client closes the connection
      if (*packet == nullptr) break;
      (this->*see)(**packet);
    }
    decoder.keep();
  }

  void sent(const net::Packet& packet) {
    switch (packet.header.cmd_id) {
      case client::COMMAND_AUTH:
      case client::COMMAND_PULL:
        asked_[packet.header.seq] = now_micros();
        return;
      case client::COMMAND_C2C_SEND:
        if (client::C2CSendReq request; parse(request, packet))
          attempts_[packet.header.seq] = recorder_.attempt(seat_, request);
        return;
      default:
        return;
    }
  }

  void received(const net::Packet& packet) {
    const std::uint32_t seq = packet.header.seq;
    switch (packet.header.cmd_id) {
      case client::COMMAND_AUTH:
        if (client::AuthResp response; parse(response, packet))
          recorder_.logged_in(seat_, asked_[seq], response);
        return;
      case client::COMMAND_PULL:
        if (client::PullResp response; parse(response, packet))
          recorder_.pulled(seat_, asked_[seq], response);
        return;
      case client::COMMAND_C2C_SEND:
        if (client::C2CSendResp response; parse(response, packet)) {
          const auto attempt = attempts_.extract(seq);
          if (attempt) recorder_.answer(attempt.mapped(), response);
        }
        return;
      case client::COMMAND_C2C_PUSH:
        if (client::C2CPush push; seq == 0 && parse(push, packet)) recorder_.pushed(seat_, push);
        return;
      case client::COMMAND_SYNC_NOTIFY:
        if (client::SyncNotify notify; parse(notify, packet)) recorder_.notified(seat_, notify);
        return;
      default:
        return;
    }
  }

  Recorder& recorder_;
  const Seat seat_;
  std::unique_ptr<client::Transport> inner_;
  net::PacketDecoder in_{client::kMaxServerBodyBytes};
  net::PacketDecoder out_{client::kMaxServerBodyBytes};
  std::unordered_map<std::uint32_t, Micros> asked_;
  std::unordered_map<std::uint32_t, std::size_t> attempts_;
};

Outcome outcome_of(const client::C2CSendResp& response) {
  switch (response.error().code()) {
    case client::ERROR_CODE_OK:
      return Outcome::kOk;
    case client::ERROR_CODE_DEADLINE_EXCEEDED:
    case client::ERROR_CODE_INTERNAL:
      return Outcome::kUnknown;
    default:
      return Outcome::kRefused;
  }
}

Row row_of(const client::PullMsg& message) {
  return {.seq = message.seq(),
          .msg_id = message.msg_id(),
          .from = message.from(),
          .to = message.to(),
          .client_msg_id = message.client_msg_id(),
          .content = digest_of(message.content())};
}

}  // namespace

Micros now_micros() noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

client::TransportFactory Recorder::tap(Seat seat) {
  return [this, seat = std::move(seat)](const net::Executor& executor) -> std::unique_ptr<client::Transport> {
    return std::make_unique<Tap>(*this, seat, executor);
  };
}

std::size_t Recorder::attempt(const Seat& seat, const client::C2CSendReq& request) {
  history_.attempts.push_back({.sender = seat.uid,
                               .client_msg_id = request.client_msg_id(),
                               .receiver = request.to(),
                               .content = digest_of(request.content()),
                               .invoked = now_micros()});
  return history_.attempts.size() - 1;
}

void Recorder::answer(std::size_t index, const client::C2CSendResp& response) {
  Attempt& attempt = history_.attempts[index];
  attempt.outcome = outcome_of(response);
  attempt.answered = now_micros();
  if (attempt.outcome != Outcome::kOk) return;
  attempt.msg_id = response.msg_id();
  attempt.outbox_seq = response.outbox_seq();
  stall_ = std::max(stall_, attempt.answered - last_ok_);
  last_ok_ = attempt.answered;
  if (acknowledged_.emplace(Place{attempt.sender, attempt.client_msg_id}, true).second)
    ++acknowledged_to_[attempt.receiver];
}

void Recorder::tell(const Seat& seat, Micros asked, std::int64_t inbox_seq, bool login) {
  const Micros at = now_micros();
  if (seat.auditor) return;
  history_.heads.push_back({.uid = seat.uid,
                            .device = seat.device,
                            .asked = asked == 0 ? at : asked,
                            .at = at,
                            .inbox_seq = inbox_seq,
                            .login = login});
  auto& told = told_[{seat.uid, seat.device}];
  told = std::max(told, inbox_seq);
}

void Recorder::logged_in(const Seat& seat, Micros asked, const client::AuthResp& response) {
  if (response.error().code() != client::ERROR_CODE_OK) return;
  online_since_[{seat.uid, seat.device}] = now_micros();
  tell(seat, asked, response.inbox_seq(), /*login=*/true);
}

void Recorder::pushed(const Seat& seat, const client::C2CPush& push) {
  if (!seat.auditor) {
    history_.pushes.push_back({.uid = seat.uid,
                               .device = seat.device,
                               .at = now_micros(),
                               .row = {.seq = push.seq(),
                                       .msg_id = push.msg_id(),
                                       .from = push.from(),
                                       .client_msg_id = push.client_msg_id(),
                                       .content = digest_of(push.content())}});
  }
  tell(seat, 0, push.seq(), /*login=*/false);
}

void Recorder::notified(const Seat& seat, const client::SyncNotify& notify) {
  tell(seat, 0, notify.inbox_seq(), /*login=*/false);
}

void Recorder::pulled(const Seat& seat, Micros asked, const client::PullResp& response) {
  const auto code = response.error().code();
  // What a device holds is beyond the head: as bad as a login that says less than before.
  if (code == client::ERROR_CODE_FAILED_PRECONDITION)
    return tell(seat, asked, response.inbox_seq(), /*login=*/true);
  if (code != client::ERROR_CODE_OK) return;
  if (!seat.auditor) return tell(seat, 0, response.inbox_seq(), /*login=*/false);
  const auto [place, fresh] = pulls_.try_emplace({seat.uid, seat.device}, history_.pulled.size());
  if (fresh) history_.pulled.push_back({.uid = seat.uid, .device = seat.device});
  Pulled& pulled = history_.pulled[place->second];
  auto& longest = inboxes_[seat.uid];
  for (const auto& message : response.msg()) {
    pulled.inbox.push_back(row_of(message));
    longest = std::max(longest, message.seq());
  }
  for (const auto& message : response.sent()) pulled.outbox.push_back(row_of(message));
}

std::int64_t Recorder::acknowledged_to(const std::string& uid) const {
  const auto it = acknowledged_to_.find(uid);
  return it == acknowledged_to_.end() ? 0 : it->second;
}

std::int64_t Recorder::told(const std::string& uid, const std::string& device) const {
  const auto it = told_.find({uid, device});
  return it == told_.end() ? 0 : it->second;
}

std::int64_t Recorder::inbox_of(const std::string& uid) const {
  const auto it = inboxes_.find(uid);
  return it == inboxes_.end() ? 0 : it->second;
}

Micros Recorder::online_since(const std::string& uid, const std::string& device) const {
  const auto it = online_since_.find({uid, device});
  return it == online_since_.end() ? 0 : it->second;
}

Micros Recorder::restart_stall() {
  const Micros now = now_micros();
  const Micros longest = last_ok_ == 0 ? 0 : std::max(stall_, now - last_ok_);
  last_ok_ = now;
  stall_ = 0;
  return longest;
}

}  // namespace hongyan::checker
