#include "tools/checker/recorder.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "common/net/packet.h"
#include "proto/parse.h"
#include "tools/checker/packets.h"

namespace hongyan::checker {

namespace {

// Passes everything on and shows whole packets to the recorder.
class Tap final : public client::Transport {
 public:
  Tap(Recorder& recorder, Wire wire, std::unique_ptr<client::Transport> inner)
      : recorder_(recorder), wire_(std::move(wire)), inner_(std::move(inner)) {}
  ~Tap() override { hang_up(); }

  net::Awaitable<Status> connect(Endpoint endpoint, Milliseconds timeout) override {
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
        if (client::C2CSendReq request; parse(request, packet.body))
          attempts_[packet.header.seq] = recorder_.attempt(wire_, attempt_of(request));
        return;
      case client::COMMAND_C2G_SEND:
        if (client::C2GSendReq request; parse(request, packet.body))
          attempts_[packet.header.seq] = recorder_.attempt(wire_, attempt_of(request));
        return;
      case client::COMMAND_CTRL_SEND:
        // The making of a group comes before what is judged.
        if (client::CtrlSendReq request; parse(request, packet.body) && !request.to().empty())
          attempts_[packet.header.seq] = recorder_.attempt(wire_, attempt_of(request));
        return;
      default:
        return;
    }
  }

  template <typename Response>
  void answered(const net::Packet& packet) {
    Response response;
    if (!parse(response, packet.body)) return;
    const auto attempt = attempts_.extract(packet.header.seq);
    if (!attempt) return;
    std::int64_t outbox_seq = 0;
    if constexpr (requires { response.outbox_seq(); }) outbox_seq = response.outbox_seq();
    recorder_.answer(attempt.mapped(), outcome_of(response.error().code()), response.msg_id(), outbox_seq);
  }

  void received(const net::Packet& packet) {
    const std::uint32_t seq = packet.header.seq;
    switch (packet.header.cmd_id) {
      case client::COMMAND_AUTH:
        if (client::AuthResp response; parse(response, packet.body))
          recorder_.logged_in(wire_, asked_[seq], response);
        return;
      case client::COMMAND_PULL:
        if (client::PullResp response; parse(response, packet.body))
          recorder_.pulled(wire_, asked_[seq], response);
        return;
      case client::COMMAND_C2C_SEND:
        return answered<client::C2CSendResp>(packet);
      case client::COMMAND_C2G_SEND:
        return answered<client::C2GSendResp>(packet);
      case client::COMMAND_CTRL_SEND:
        return answered<client::CtrlSendResp>(packet);
      case client::COMMAND_C2G_PUSH:
        if (client::C2GPush push; seq == 0 && parse(push, packet.body)) recorder_.pushed(wire_, row_of(push));
        return;
      case client::COMMAND_CTRL_PUSH:
        if (client::CtrlPush push; seq == 0 && parse(push, packet.body))
          recorder_.pushed(wire_, row_of(push));
        return;
      case client::COMMAND_C2C_PUSH:
        if (client::C2CPush push; seq == 0 && parse(push, packet.body)) recorder_.pushed(wire_, row_of(push));
        return;
      case client::COMMAND_SYNC_NOTIFY:
        if (client::SyncNotify notify; parse(notify, packet.body)) recorder_.notified(wire_, notify);
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

}  // namespace

Micros now_micros() noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

client::TransportFactory Recorder::tap(Seat seat, client::TransportFactory transports) {
  return [this, seat = std::move(seat), transports = std::move(transports)](
             const net::Executor& executor) -> std::unique_ptr<client::Transport> {
    return std::make_unique<Tap>(*this, Wire{.seat = seat, .number = ++connections_}, transports(executor));
  };
}

std::size_t Recorder::attempt(const Wire& wire, Attempt attempt) {
  attempt.sender = wire.seat.uid;
  attempt.invoked = now_micros();
  attempt.port = wire.port;
  attempt.online_since = online_since(wire.seat.uid, wire.seat.device);
  history_.attempts.push_back(std::move(attempt));
  return history_.attempts.size() - 1;
}

void Recorder::answer(std::size_t index, Outcome outcome, std::int64_t msg_id, std::int64_t outbox_seq) {
  Attempt& attempt = history_.attempts[index];
  attempt.outcome = outcome;
  attempt.answered = now_micros();
  if (attempt.outcome != Outcome::kOk) return;
  attempt.msg_id = msg_id;
  attempt.outbox_seq = outbox_seq;
  stall_ = std::max(stall_, attempt.answered - last_ok_);
  last_ok_ = attempt.answered;
  if (attempt.group_id == 0 &&
      acknowledged_.emplace(Place{attempt.sender, attempt.client_msg_id}, true).second)
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

void Recorder::tell_group(const Wire& wire, std::int64_t group_id, std::int64_t group_seq) {
  if (wire.seat.auditor) return;
  const Micros at = now_micros();
  history_.heads.push_back({.uid = wire.seat.uid,
                            .device = wire.seat.device,
                            .asked = at,
                            .at = at,
                            .inbox_seq = group_seq,
                            .group_id = group_id,
                            .connection = wire.number});
  auto& told = told_groups_[{wire.seat.uid, wire.seat.device}][group_id];
  told = std::max(told, group_seq);
}

void Recorder::pushed(const Wire& wire, Row row) {
  if (row.seq > 0) {
    tell(wire, 0, row.seq, By::kPush);
  } else {
    tell_group(wire, row.group_id, row.group_seq);
  }
  if (wire.seat.auditor) return;
  history_.pushes.push_back(
      {.uid = wire.seat.uid, .device = wire.seat.device, .at = now_micros(), .row = std::move(row)});
}

void Recorder::notified(const Wire& wire, const client::SyncNotify& notify) {
  tell(wire, 0, notify.inbox_seq(), By::kOther);
  if (notify.group_id() != 0) tell_group(wire, notify.group_id(), notify.group_seq());
}

void Recorder::pulled(const Wire& wire, Micros asked, const client::PullResp& response) {
  const auto code = response.error().code();
  // What a device holds is beyond the head: as bad as a login that says less than before.
  if (code == client::ERROR_CODE_FAILED_PRECONDITION)
    return tell(wire, asked, response.inbox_seq(), By::kLogin);
  if (code != client::ERROR_CODE_OK) return;
  if (!wire.seat.auditor) {
    for (const auto& page : response.groups()) tell_group(wire, page.group_id(), page.head_seq());
    return tell(wire, 0, response.inbox_seq(), By::kOther);
  }
  const auto [place, fresh] = pulls_.try_emplace({wire.seat.uid, wire.seat.device}, history_.pulled.size());
  if (fresh) {
    history_.pulled.push_back(
        {.uid = wire.seat.uid, .device = wire.seat.device, .fresh = wire.seat.device == kNewDevice});
  }
  Pulled& pulled = history_.pulled[place->second];
  auto& longest = inboxes_[wire.seat.uid];
  for (const auto& message : response.msg()) {
    pulled.inbox.push_back(row_of(message));
    longest = std::max(longest, message.seq());
  }
  for (const auto& message : response.sent()) pulled.outbox.push_back(row_of(message));
  for (const auto& page : response.groups()) {
    for (const auto& message : page.msg()) {
      Row row = row_of(message);
      row.group_id = page.group_id();
      row.group_seq = std::exchange(row.seq, 0);
      auto& head = group_heads_[wire.seat.uid][row.group_id];
      head = std::max(head, row.group_seq);
      pulled.groups.push_back(std::move(row));
    }
  }
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

bool Recorder::told_of_groups(const std::string& uid, const std::string& device) const {
  const auto heads = group_heads_.find(uid);
  if (heads == group_heads_.end()) return true;
  const auto told = told_groups_.find({uid, device});
  return std::ranges::all_of(heads->second, [&](const auto& head) {
    if (told == told_groups_.end()) return false;
    const auto it = told->second.find(head.first);
    return it != told->second.end() && it->second >= head.second;
  });
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
