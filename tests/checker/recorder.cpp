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
  Tap(Recorder& recorder, Wire wire, const net::Executor& executor)
      : recorder_(recorder), wire_(std::move(wire)), inner_(client::make_tcp_transport(executor)) {}
  ~Tap() override { hang_up(); }

  net::Awaitable<Status> connect(client::Endpoint endpoint, Milliseconds timeout) override {
    wire_.port = endpoint.port;
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

  void close() noexcept override {
    hang_up();
    inner_->close();
  }

 private:
  void hang_up() noexcept {
    for (const auto& [seq, attempt] : attempts_) recorder_.hung_up(attempt);
    attempts_.clear();
  }

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
          attempts_[packet.header.seq] = recorder_.attempt(wire_, request);
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
          recorder_.logged_in(wire_, asked_[seq], response);
        return;
      case client::COMMAND_PULL:
        if (client::PullResp response; parse(response, packet))
          recorder_.pulled(wire_, asked_[seq], response);
        return;
      case client::COMMAND_C2C_SEND:
        if (client::C2CSendResp response; parse(response, packet)) {
          const auto attempt = attempts_.extract(seq);
          if (attempt) recorder_.answer(attempt.mapped(), response);
        }
        return;
      case client::COMMAND_C2C_PUSH:
        if (client::C2CPush push; seq == 0 && parse(push, packet)) recorder_.pushed(wire_, push);
        return;
      case client::COMMAND_SYNC_NOTIFY:
        if (client::SyncNotify notify; parse(notify, packet)) recorder_.notified(wire_, notify);
        return;
      default:
        return;
    }
  }

  Recorder& recorder_;
  Wire wire_;
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
    return std::make_unique<Tap>(*this, Wire{.seat = seat, .number = ++connections_}, executor);
  };
}

std::size_t Recorder::attempt(const Wire& wire, const client::C2CSendReq& request) {
  history_.attempts.push_back({.sender = wire.seat.uid,
                               .client_msg_id = request.client_msg_id(),
                               .receiver = request.to(),
                               .content = digest_of(request.content()),
                               .invoked = now_micros(),
                               .port = wire.port});
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

void Recorder::hung_up(std::size_t attempt) { history_.attempts[attempt].hung_up = now_micros(); }

void Recorder::tell(const Wire& wire, Micros asked, std::int64_t inbox_seq, By by) {
  const Micros at = now_micros();
  if (wire.seat.auditor) return;
  history_.heads.push_back({.uid = wire.seat.uid,
                            .device = wire.seat.device,
                            .asked = asked == 0 ? at : asked,
                            .at = at,
                            .inbox_seq = inbox_seq,
                            .login = by == By::kLogin,
                            .push = by == By::kPush,
                            .connection = wire.number});
  auto& told = told_[{wire.seat.uid, wire.seat.device}];
  told = std::max(told, inbox_seq);
}

void Recorder::logged_in(const Wire& wire, Micros asked, const client::AuthResp& response) {
  if (response.error().code() != client::ERROR_CODE_OK) return;
  online_since_[{wire.seat.uid, wire.seat.device}] = now_micros();
  tell(wire, asked, response.inbox_seq(), By::kLogin);
}

void Recorder::pushed(const Wire& wire, const client::C2CPush& push) {
  if (!wire.seat.auditor) {
    history_.pushes.push_back({.uid = wire.seat.uid,
                               .device = wire.seat.device,
                               .at = now_micros(),
                               .row = {.seq = push.seq(),
                                       .msg_id = push.msg_id(),
                                       .from = push.from(),
                                       .client_msg_id = push.client_msg_id(),
                                       .content = digest_of(push.content())}});
  }
  tell(wire, 0, push.seq(), By::kPush);
}

void Recorder::notified(const Wire& wire, const client::SyncNotify& notify) {
  tell(wire, 0, notify.inbox_seq(), By::kOther);
}

void Recorder::pulled(const Wire& wire, Micros asked, const client::PullResp& response) {
  const auto code = response.error().code();
  // What a device holds is beyond the head: as bad as a login that says less than before.
  if (code == client::ERROR_CODE_FAILED_PRECONDITION)
    return tell(wire, asked, response.inbox_seq(), By::kLogin);
  if (code != client::ERROR_CODE_OK) return;
  if (!wire.seat.auditor) return tell(wire, 0, response.inbox_seq(), By::kOther);
  const auto [place, fresh] = pulls_.try_emplace({wire.seat.uid, wire.seat.device}, history_.pulled.size());
  if (fresh) history_.pulled.push_back({.uid = wire.seat.uid, .device = wire.seat.device});
  Pulled& pulled = history_.pulled[place->second];
  auto& longest = inboxes_[wire.seat.uid];
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
