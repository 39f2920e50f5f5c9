#include "gate/session/session.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "gate/session/commands.h"
#include "gate/session/wire.h"

namespace hongyan::gate {

namespace {

constexpr std::uint8_t kMostUnparsable = 10;
constexpr std::uint32_t kRetryAfterMs = 500;
// Of a client that is too fast. What it sends in the meantime is stored together: many small steps would cost
// the servers more than few.
constexpr Milliseconds kShortestPause{10};
constexpr Milliseconds kLongestPause{100};

}  // namespace

SessionPtr Session::start(SessionContext& context, std::unique_ptr<Transport> transport) {
  context.loop.assert_in_loop();
  Peer& peer = context.peers.add(SteadyClock::now());
  auto session = std::make_shared<Session>(context, std::move(transport), peer);
  peer.session = session.get();
  session->self_ = session;
  session->start_reading();
  return session;
}

Session::Session(SessionContext& context, std::unique_ptr<Transport> transport, Peer& peer)
    : context_(context),
      transport_(std::move(transport)),
      peer_(peer),
      decoder_(context.options.max_body_before_login),
      requests_(peer.accepted_at),
      packets_(peer.accepted_at),
      bytes_(peer.accepted_at),
      now_(peer.accepted_at) {
  transport_->set_max_body_bytes(context.options.max_body_before_login);
}

void Session::start_reading() {
  if (reading_) return;
  reading_ = true;
  context_.loop.spawn("session", read_all(shared_from_this()));
}

net::Awaitable<> Session::read_all(SessionPtr self) {
  while (self->state_ != State::kClosed) {
    const auto bytes = co_await self->transport_->read();
    if (self->state_ == State::kClosed) break;
    if (!bytes && bytes.error().code == Code::kBadRequest) {
      self->on_broken_framing(bytes.error().message);
      continue;
    }
    if (!bytes) {
      self->end(bytes.error().message);
      break;
    }
    self->context_.counters.bytes_in.add(bytes->size());
    if (self->state_ == State::kOpen) self->on_bytes(*bytes);
    while (self->state_ == State::kOpen) {
      if (const auto pause = self->pause_for_rate(); pause.count() > 0) {
        co_await net::sleep_for(pause);
        continue;
      }
      if (self->held_.empty()) break;
      self->on_bytes(std::exchange(self->held_, {}));
    }
    if (self->should_pause()) break;  // request_done() starts it again
  }
  self->reading_ = false;
}

void Session::on_bytes(std::string_view bytes) {
  const double rate = context_.options.requests_per_second;
  now_ = SteadyClock::now();
  requests_.spend(0, rate, now_);
  decoder_.feed(bytes);
  while (state_ == State::kOpen) {
    if (requests_.wait_ms(rate) > 0) {
      held_ = decoder_.take_rest();
      return;
    }
    const auto next = decoder_.next();
    if (!next) {
      context_.counters.refused(next.error() == net::PacketError::kHeaderLength ? Refusal::kBadHeader
                                                                                : Refusal::kBodyTooLarge);
      return end(net::to_string(next.error()));
    }
    if (*next == nullptr) return decoder_.keep();
    on_packet(**next);
  }
}

void Session::on_broken_framing(std::string_view reason) {
  if (state_ != State::kOpen) return;
  context_.counters.refused(Refusal::kBadFraming);
  note(reason);
  broken_ = true;
  begin_closing();
}

void Session::on_packet(const net::Packet& packet) {
  const auto& header = packet.header;
  context_.counters.packet_in(header.cmd_id);
  if (!version_known_) {
    version_ = header.client_version;
    version_known_ = true;
  }
  if (header.client_version < context_.options.min_client_version ||
      header.client_version > context_.options.max_client_version) {
    return refuse_and_close(header, Refusal::kVersion, Code::kVersionUnsupported,
                            "client_version is not supported");
  }
  peer_.last_packet = now_;
  peer_.alive_unreported = true;
  const CommandKind kind = command_kind(header.cmd_id);
  if (!peer_.logged_in && kind != CommandKind::kAuth && kind != CommandKind::kNoop &&
      kind != CommandKind::kIgnored) {
    return refuse_and_close(header, Refusal::kNotLoggedIn, Code::kUnauthenticated, "log in first");
  }
  if (!within_rate(packet, now_)) return;
  switch (kind) {
    case CommandKind::kAuth:
      return on_auth(packet);
    case CommandKind::kRequest:
      return on_request(packet);
    case CommandKind::kAck:
      return on_ack(packet);
    case CommandKind::kNoop:
      return respond(header.cmd_id, header.seq, {});
    case CommandKind::kIgnored:
      return;
    case CommandKind::kKickout:
      if (packet.body.empty()) return;  // a client may answer so
      [[fallthrough]];
    case CommandKind::kServerOnly:
      return refuse_and_close(header, Refusal::kServerOnly, Code::kBadRequest, "only the server sends this");
    case CommandKind::kUnknown:
      context_.counters.refused(Refusal::kUnknownCommand);
      return respond_error(header.cmd_id, header.seq, {Code::kUnknownCommand, "unknown command"});
  }
}

bool Session::within_rate(const net::Packet& packet, SteadyTime now) {
  const auto& options = context_.options;
  const bool few = packets_.take(1, options.packets_per_second, now);
  const bool small =
      bytes_.take(static_cast<double>(net::kHeaderSize + packet.body.size()), options.bytes_per_second, now);
  if (few && small) return true;
  context_.counters.refused(Refusal::kRateLimited);
  const CommandKind kind = command_kind(packet.header.cmd_id);
  if (kind == CommandKind::kAck || kind == CommandKind::kIgnored) return false;  // has no answer
  const auto wait =
      std::max(packets_.wait_ms(options.packets_per_second), bytes_.wait_ms(options.bytes_per_second));
  respond_error(packet.header.cmd_id, packet.header.seq, {Code::kRateLimited, "too fast", wait});
  return false;
}

void Session::on_auth(const net::Packet& packet) {
  const auto& header = packet.header;
  client::AuthReq auth;
  if (!auth.ParseFromArray(packet.body.data(), static_cast<int>(packet.body.size()))) {
    return unparsable(packet);
  }
  unparsable_in_row_ = 0;
  const auto login = check_auth(auth);
  if (!login || header.seq == 0) {
    context_.counters.refused(Refusal::kBadRequest);
    return respond_error(header.cmd_id, header.seq,
                         login ? Error{Code::kBadRequest, "seq is 0"} : login.error());
  }
  // It may have lain here for long, and must not end the session of a device that has logged in since.
  if (context_.host.stood_still(now_)) {
    context_.counters.refused(Refusal::kStoodStill);
    return respond_error(header.cmd_id, header.seq,
                         {Code::kUnavailable, "the gate stood still", kRetryAfterMs});
  }
  if (peer_.logged_in || pending_auths_ > 0) {
    if (login->app_id != peer_.app_id || login->uid != peer_.uid ||
        device_class(login->device_type) != peer_.device_class) {
      return refuse_and_close(header, Refusal::kOtherUser, Code::kPermissionDenied,
                              "logged in as somebody else");
    }
  } else {
    if (std::exchange(auth_in_doubt_, false)) context_.host.logged_out(peer_);
    peer_.app_id = login->app_id;
    peer_.uid = login->uid;
    peer_.device_class = device_class(login->device_type);
    peer_.slot = slot_of(peer_.app_id, peer_.uid);
  }
  peer_.device_type = login->device_type;
  peer_.device_id = login->device_id;
  const auto before = in_flight_;
  forward(packet);
  if (in_flight_ > before) ++pending_auths_;
}

void Session::on_ack(const net::Packet& packet) {
  std::int64_t seq = 0;
  if (!read_push_ack(packet.body, seq)) return unparsable(packet);
  unparsable_in_row_ = 0;
  peer_.acked_inbox_seq = std::max(peer_.acked_inbox_seq, seq);
  context_.host.send_ack(peer_, packet.header.cmd_id, packet.body);
}

void Session::on_request(const net::Packet& packet) {
  if (!well_formed(packet.body)) return unparsable(packet);
  unparsable_in_row_ = 0;
  if (packet.header.seq == 0) {
    context_.counters.refused(Refusal::kBadRequest);
    return respond_error(packet.header.cmd_id, 0, {Code::kBadRequest, "seq is 0"});
  }
  forward(packet);
}

void Session::forward(const net::Packet& packet) {
  const auto& header = packet.header;
  const std::size_t size = packet.body.size();
  requests_.spend(1, context_.options.requests_per_second, now_);
  // Counted before: the answer may come from within.
  ++in_flight_;
  in_flight_bytes_ += size;
  if (const auto taken = context_.host.submit(peer_, header.cmd_id, header.seq, packet.body); !taken) {
    --in_flight_;
    in_flight_bytes_ -= size;
    context_.counters.refused(Refusal::kHeldBytes);
    respond_error(header.cmd_id, header.seq, taken.error());
  }
}

void Session::unparsable(const net::Packet& packet) {
  context_.counters.refused(Refusal::kUnparsable);
  const Error error{Code::kBadRequest, "body does not parse"};
  // An acknowledgement is answered only when it is wrong.
  if (++unparsable_in_row_ < kMostUnparsable) {
    return respond_error(packet.header.cmd_id, packet.header.seq, error);
  }
  refuse_and_close(packet.header, Refusal::kTooManyUnparsable, error.code, error.message);
}

void Session::on_answer(std::uint32_t cmd_id, std::uint32_t seq, std::size_t request_bytes,
                        const forward::Answer& answer) {
  request_done(request_bytes);
  if (state_ == State::kClosed || finished_) return;
  if (answer.refused) context_.counters.refused(Refusal::kByLogic);
  const bool is_auth = cmd_id == client::COMMAND_AUTH;
  if (is_auth && pending_auths_ > 0) --pending_auths_;
  respond(cmd_id, seq, answer.body);
  if (is_auth && answer.login_epoch != 0) log_in(answer);
  if (cmd_id == client::COMMAND_LOGOUT && !answer.refused) begin_closing();
}

void Session::on_refused(std::uint32_t cmd_id, std::uint32_t seq, std::size_t request_bytes,
                         const Error& error) {
  request_done(request_bytes);
  if (cmd_id == client::COMMAND_AUTH) {
    if (pending_auths_ > 0) --pending_auths_;
    auth_in_doubt_ = auth_in_doubt_ || error.code == Code::kDeadlineExceeded;
  }
  if (state_ != State::kClosed && !finished_) respond_error(cmd_id, seq, error);
}

void Session::log_in(const forward::Answer& answer) {
  if (state_ != State::kOpen) {
    peer_.login_epoch = answer.login_epoch;
    return context_.host.logged_out(peer_);
  }
  decoder_.set_max_body_bytes(context_.options.max_body_bytes);
  transport_->set_max_body_bytes(context_.options.max_body_bytes);
  if (!peer_.logged_in) context_.counters.logins.add();
  peer_.expires_ms = answer.expires_ms;
  Peer* loser = context_.peers.log_in(peer_, answer.login_epoch, SteadyClock::now());
  if (loser == &peer_) {
    // The other session has the higher epoch: this one is the older login.
    return kick(client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
  }
  if (answer.confirm) context_.host.confirm_login(peer_);
  if (loser == nullptr) return;
  const bool same_device = !peer_.device_id.empty() && loser->device_id == peer_.device_id;
  if (same_device) {
    loser->session->kick({});
  } else {
    loser->session->kick(client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
  }
}

Milliseconds Session::pause_for_rate() {
  const double rate = context_.options.requests_per_second;
  if (requests_.wait_ms(rate) == 0) return Milliseconds(0);
  requests_.spend(0, rate, SteadyClock::now());
  const Milliseconds wait(requests_.wait_ms(rate));
  return wait.count() == 0 ? wait : std::clamp(wait, kShortestPause, kLongestPause);
}

void Session::request_done(std::size_t request_bytes) {
  if (in_flight_ > 0) --in_flight_;
  in_flight_bytes_ -= std::min(in_flight_bytes_, request_bytes);
  if (state_ == State::kClosed) return;
  if (!should_pause()) start_reading();
  if (state_ == State::kClosing && in_flight_ == 0) context_.host.flush_later(shared_from_this());
}

bool Session::should_pause() const noexcept {
  return state_ == State::kOpen && (in_flight_ >= context_.options.max_in_flight ||
                                    in_flight_bytes_ >= context_.options.max_in_flight_bytes);
}

bool Session::check(SteadyTime now) {
  if (state_ != State::kOpen) return true;
  const bool in_time = peer_.logged_in ? now - peer_.last_packet < context_.options.heartbeat * 3 / 2
                                       : now - peer_.accepted_at < context_.options.login_deadline;
  if (in_time) {
    transport_->keep_alive(now);
    return true;
  }
  context_.counters.refused(peer_.logged_in ? Refusal::kHeartbeat : Refusal::kLoginDeadline);
  end(peer_.logged_in ? "silent" : "no login in time");
  return false;
}

void Session::end(std::string_view reason) {
  if (state_ == State::kClosed) return;
  const SessionPtr self = std::move(self_);  // lives until this returns
  log::debug("gate", "closed c={} reason={}", peer_.channel, log::quoted(reason));
  if (peer_.logged_in || pending_auths_ > 0 || auth_in_doubt_) context_.host.logged_out(peer_);
  if (peer_.logged_in) context_.peers.log_out(peer_);
  state_ = State::kClosed;
  if (output_) context_.outputs.give_back(std::move(output_));
  transport_->close();
  context_.host.ended(*this);
  context_.peers.remove(peer_.channel);
}

void Session::note(std::string_view what) {
  std::uint64_t suppressed = 0;
  if (!context_.lines.allow(SteadyClock::now(), suppressed)) return;
  log::info("gate", "refused c={} address={} reason={} suppressed={}", peer_.channel,
            transport_->remote_address().to_string(), log::quoted(what), suppressed);
}

}  // namespace hongyan::gate
