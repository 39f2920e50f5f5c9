#include "gate/session/session.h"

#include <algorithm>
#include <utility>

#include "common/log/audit.h"
#include "common/log/log.h"
#include "common/protocol/commands.h"
#include "common/protocol/errors.h"
#include "gate/session/login.h"
#include "gate/session/proto_glance.h"
#include "proto/parse.h"

namespace hongyan::gate {

namespace {

constexpr std::uint8_t kMostUnparsable = 10;

// The answer to an AUTH refuses what was sent, and does not only put it off.
bool is_refused_login(std::string_view body) {
  client::ErrorOnly answer;
  if (!parse(answer, body)) return true;
  switch (answer.error().code()) {
    case client::ERROR_CODE_UNAVAILABLE:
    case client::ERROR_CODE_INTERNAL:
    case client::ERROR_CODE_DEADLINE_EXCEEDED:
    case client::ERROR_CODE_RATE_LIMITED:
      return false;
    default:
      return true;
  }
}

Code code_of(std::string_view body) {
  client::ErrorOnly answer;
  return parse(answer, body) ? static_cast<Code>(answer.error().code()) : Code::kInternal;
}

}  // namespace

SessionPtr Session::start(SessionContext& context, std::unique_ptr<Transport> transport, Arrived arrived) {
  context.loop.assert_in_loop();
  Client& client = context.clients.add(arrived.at);
  auto session = std::make_shared<Session>(context, std::move(transport), std::move(arrived), client);
  client.session = session.get();
  context.clients.look_at(client, client.accepted_at + context.options.login_deadline);
  session->self_ = session;
  session->start_reading();
  return session;
}

Session::Session(SessionContext& context, std::unique_ptr<Transport> transport, Arrived arrived,
                 Client& client)
    : context_(context),
      transport_(std::move(transport)),
      arrived_(std::move(arrived)),
      client_(client),
      intake_(context.options, client.accepted_at),
      outbox_(context.outboxes, *transport_) {
  transport_->set_max_body_bytes(context.options.max_body_before_login);
}

// What the client sends.

void Session::start_reading() {
  if (reading_) return;
  reading_ = true;
  context_.loop.spawn("session", read_all(shared_from_this()));
}

bool Session::reads_no_more() const noexcept {
  return state_ == State::kOpen && (intake_.full() || (intake_.holds_back() && intake_.holds()));
}

net::Awaitable<> Session::read_all(SessionPtr self) {
  while (self->state_ != State::kClosed) {
    while (self->state_ == State::kOpen) {
      if (const auto pause = self->intake_.pause(SteadyClock::now()); pause.count() > 0) {
        co_await net::sleep_for(pause);
        continue;
      }
      if (!self->intake_.holds() || self->intake_.holds_back()) break;
      self->on_bytes(self->intake_.take_held());
    }
    if (self->reads_no_more()) break;  // request_done() starts it again
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
    if (self->state_ == State::kOpen) {
      self->on_bytes(*bytes);
    } else {
      self->discard(bytes->size());
    }
  }
  self->reading_ = false;
}

void Session::discard(std::size_t bytes) {
  discarded_bytes_ += static_cast<std::uint32_t>(bytes);
  if (discarded_bytes_ > SessionOptions::kMostDiscarded) end("goes on sending");
}

void Session::on_bytes(std::string_view bytes) {
  intake_.feed(bytes, SteadyClock::now());
  while (state_ == State::kOpen) {
    const auto next = intake_.next();
    if (!next) {
      context_.counters.refused(next.error() == net::PacketError::kHeaderLength ? Refusal::kBadHeader
                                                                                : Refusal::kBodyTooLarge);
      return end(net::to_string(next.error()));
    }
    if (*next == nullptr) break;
    on_packet(**next);
  }
  if (state_ != State::kOpen || client_.logged_in) return;
  if (intake_.held_bytes() <= net::kMaxHeaderSize + context_.options.max_body_before_login) return;
  context_.counters.refused(Refusal::kTooEarly);
  note(to_string(Refusal::kTooEarly));
  end("too much before the login");
}

void Session::on_broken_framing(std::string_view reason) {
  if (state_ != State::kOpen) return;
  context_.counters.refused(Refusal::kBadFraming);
  note(reason);
  intake_.expect_no_answers();
  begin_closing();
}

void Session::on_packet(const net::Packet& packet) {
  const auto& header = packet.header;
  context_.counters.packet_in(header.cmd_id);
  outbox_.learn_version(header.client_version);
  if (header.client_version < context_.options.min_client_version ||
      header.client_version > context_.options.max_client_version) {
    return refuse_and_close(header, Refusal::kVersion, Code::kVersionUnsupported,
                            "client_version is not supported");
  }
  client_.last_packet = intake_.now();
  if (!client_.alive_unreported) {
    client_.alive_unreported = true;
    if (client_.logged_in) context_.upstream.came_alive(client_);
  }
  const protocol::Command& command = protocol::command(header.cmd_id);
  if (!client_.logged_in && !command.before_login) {
    return refuse_and_close(header, Refusal::kNotLoggedIn, Code::kUnauthenticated, "log in first");
  }
  if (!within_rate(packet)) return;
  using protocol::Kind;
  switch (command.kind) {
    case Kind::kAuth:
      return on_auth(packet);
    case Kind::kRequest:
      return on_request(packet);
    case Kind::kPush:
      return on_ack(packet);
    case Kind::kNoop:
      return respond(header.cmd_id, header.seq, {});
    case Kind::kIgnored:
      return;
    case Kind::kKickout:
      if (packet.body.empty()) return;  // a client may answer so
      [[fallthrough]];
    case Kind::kNotice:
      return refuse_and_close(header, Refusal::kServerOnly, Code::kBadRequest, "only the server sends this");
    case Kind::kUnknown:
    case Kind::kNotServed:
    case Kind::kInternal:
      context_.counters.refused(Refusal::kUnknownCommand);
      return respond_error(header.cmd_id, header.seq, {Code::kUnknownCommand, "unknown command"});
  }
}

bool Session::within_rate(const net::Packet& packet) {
  if (intake_.within_rate(packet.body.size())) return true;
  if (!client_.logged_in) {
    refuse_and_close(packet.header, Refusal::kRateLimited, Code::kRateLimited, "too fast");
    return false;
  }
  context_.counters.refused(Refusal::kRateLimited);
  if (intake_.excessive()) {
    note("rate_limited, and goes on");
    kick(client::KICK_REASON_RATE_LIMITED, "too fast");
    return false;
  }
  const protocol::Kind kind = protocol::command(packet.header.cmd_id).kind;
  if (kind == protocol::Kind::kPush || kind == protocol::Kind::kIgnored) return false;  // has no answer
  respond_error(packet.header.cmd_id, packet.header.seq, {Code::kRateLimited, "too fast", intake_.wait_ms()});
  return false;
}

void Session::on_auth(const net::Packet& packet) {
  const auto& header = packet.header;
  client::AuthReq auth;
  if (!parse(auth, packet.body)) {
    unparsable(packet);
    return login_refused();
  }
  unparsable_in_row_ = 0;
  const auto login = check_auth(auth);
  if (!login || header.seq == 0) {
    context_.counters.refused(Refusal::kBadRequest);
    respond_error(header.cmd_id, header.seq, login ? Error{Code::kBadRequest, "seq is 0"} : login.error());
    return login_refused();
  }
  // It may have lain here for long, and must not end the session of a device that has logged in since.
  if (context_.host.stood_still(intake_.now())) {
    context_.counters.refused(Refusal::kStoodStill);
    return respond_error(header.cmd_id, header.seq, {Code::kUnavailable, "the gate stood still", kRetryMs});
  }
  if (client_.logged_in) {
    if (login->app_id != client_.app_id || login->uid != client_.uid ||
        device_class(login->device_type) != client_.device_class) {
      return refuse_and_close(header, Refusal::kOtherUser, Code::kPermissionDenied,
                              "logged in as somebody else");
    }
    if (auth_pending_) {
      context_.counters.refused(Refusal::kRateLimited);
      return respond_error(header.cmd_id, header.seq,
                           {Code::kRateLimited, "another AUTH is not answered yet", kRetryMs});
    }
  } else {
    if (std::exchange(auth_in_doubt_, false)) context_.upstream.session_closed(client_);
    client_.app_id = login->app_id;
    client_.uid = login->uid;
    client_.device_class = device_class(login->device_type);
    client_.slot = slot_of(client_.app_id, client_.uid);
  }
  client_.device_type = login->device_type;
  client_.device_id = login->device_id;
  if (!arrived_.place.begin_login(intake_.now())) {
    context_.counters.refused(Refusal::kFailedLogins);
    note(to_string(Refusal::kFailedLogins));
    respond_error(header.cmd_id, header.seq,
                  {Code::kRateLimited, "too many logins were refused", context_.admission.retry_ms()});
    return login_refused();
  }
  auth_pending_ = true;
  if (!client_.logged_in) intake_.hold_back();  // what follows is judged by the answer
  if (!forward(packet)) auth_done(false);
}

void Session::auth_done(bool refused) {
  arrived_.place.end_login(refused, intake_.now());
  auth_pending_ = false;
  intake_.release();
}

void Session::login_refused() {
  if (state_ != State::kOpen || ++refused_logins_ < context_.options.max_refused_logins) return;
  context_.counters.refused(Refusal::kRefusedLogins);
  note(to_string(Refusal::kRefusedLogins));
  begin_closing();
}

void Session::on_ack(const net::Packet& packet) {
  std::int64_t seq = 0;
  if (!read_push_ack(packet.body, seq)) return unparsable(packet);
  unparsable_in_row_ = 0;
  client_.acked_inbox_seq = std::max(client_.acked_inbox_seq, seq);
  context_.upstream.ack(client_, packet.header.cmd_id, packet.body);
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

bool Session::forward(const net::Packet& packet) {
  const auto& header = packet.header;
  const std::size_t size = packet.body.size();
  intake_.request_began(size);  // before: the answer may come from within
  const auto taken = context_.upstream.submit(client_, header.cmd_id, header.seq, packet.body, intake_.now());
  if (taken) return true;
  intake_.request_done(size);
  context_.counters.refused(Refusal::kHeldBytes);
  respond_error(header.cmd_id, header.seq, taken.error());
  return false;
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

// What its owner answers.

void Session::on_answer(std::uint32_t cmd_id, std::uint32_t seq, std::size_t request_bytes,
                        const owners::Answer& answer) {
  const bool is_auth = cmd_id == client::COMMAND_AUTH;
  const SessionPtr self = is_auth ? shared_from_this() : nullptr;  // log_in() may end it
  const bool refused_login = is_auth && answer.refused && is_refused_login(answer.body);
  if (is_auth) auth_done(refused_login);
  request_done(request_bytes);
  if (state_ >= State::kFinished) return;
  if (answer.refused) context_.counters.refused(Refusal::kByLogic);
  respond(cmd_id, seq, answer.body);
  if (is_auth && answer.login_epoch != 0) log_in(answer);
  if (refused_login) {
    audit_login("login_refused", code_of(answer.body));
    login_refused();
  }
  if (cmd_id == client::COMMAND_LOGOUT && !answer.refused) begin_closing();
}

void Session::on_refused(std::uint32_t cmd_id, std::uint32_t seq, std::size_t request_bytes,
                         const Error& error) {
  if (cmd_id == client::COMMAND_AUTH) auth_done(false);
  request_done(request_bytes);
  if (cmd_id == client::COMMAND_AUTH) {
    auth_in_doubt_ = auth_in_doubt_ || error.code == Code::kDeadlineExceeded;
  }
  if (state_ < State::kFinished) respond_error(cmd_id, seq, error);
}

void Session::audit_login(std::string_view event, Code code) const {
  if (!audit::enabled()) return;
  const std::string address = arrived_.address.to_string();
  audit::write(event, {{"app", client_.app_id},
                       {"uid", client_.uid},
                       {"device", client_.device_id},
                       {"device_type", std::int64_t{client_.device_type}},
                       {"address", address},
                       {"code", code_name(code)}});
}

void Session::log_in(const owners::Answer& answer) {
  // Nothing was read while something waited behind the AUTH: the client may have gone, and ends no other session.
  const bool gone = state_ == State::kOpen && intake_.holds() && transport_->peer_has_finished();
  if (state_ != State::kOpen || gone) {
    client_.login_epoch = answer.login_epoch;
    context_.upstream.session_closed(client_);
    if (gone) end("gone before its login was answered");
    return;
  }
  refused_logins_ = 0;
  arrived_.place.logged_in();
  if (!client_.logged_in) intake_.logged_in();
  transport_->set_max_body_bytes(context_.options.max_body_bytes);
  audit_login("login", Code::kOk);
  if (!client_.logged_in) context_.counters.logins.add();
  client_.expires_ms = answer.expires_ms;
  Client* loser = context_.clients.log_in(client_, answer.login_epoch);
  if (loser == &client_) {
    // The other session has the higher epoch: this one is the older login.
    return kick(client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
  }
  const SteadyTime now = SteadyClock::now();
  context_.clients.look_at(client_, now);  // other times count from now on
  if (answer.confirm) context_.upstream.confirm_login(client_, now);
  if (loser == nullptr) return;
  const bool same_device = !client_.device_id.empty() && loser->device_id == client_.device_id;
  if (same_device) {
    loser->session->kick({});
  } else {
    loser->session->kick(client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
  }
}

void Session::request_done(std::size_t request_bytes) {
  intake_.request_done(request_bytes);
  if (state_ == State::kClosed) return;
  if (!reads_no_more()) start_reading();
  if (state_ == State::kClosing && intake_.in_flight() == 0) context_.host.flush_later(shared_from_this());
}

// What goes to the client.

void Session::respond(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body) {
  if (state_ >= State::kFinished) return;
  // What is still due to a client that is being closed must not be more than it may be otherwise.
  if (state_ == State::kClosing && outbox_.overflows()) return;
  append(cmd_id, seq, body);
}

void Session::append(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body) {
  context_.counters.packet_out(cmd_id);
  outbox_.append(cmd_id, seq, body);
  queued();
}

void Session::respond_error(std::uint32_t cmd_id, std::uint32_t seq, const Error& error) {
  respond(cmd_id, seq, protocol::error_body(error));
}

void Session::refuse_and_close(const net::PacketHeader& header, Refusal refusal, Code code,
                               std::string_view message) {
  context_.counters.refused(refusal);
  note(to_string(refusal));
  respond_error(header.cmd_id, header.seq, {code, std::string(message)});
  begin_closing();
}

bool Session::takes_pushes() const noexcept {
  return state_ == State::kOpen && (client_.logged_in || auth_pending_);
}

void Session::push(std::uint32_t cmd_id, std::string_view body, std::string_view suffix) {
  if (!client_.logged_in) return;  // its login is not answered yet; what it missed it pulls
  context_.counters.packet_out(cmd_id);
  outbox_.append(cmd_id, 0, body, suffix);
  queued();
}

void Session::push_shared(std::uint32_t cmd_id, SharedBody body, std::string_view suffix) {
  if (!client_.logged_in) return;
  context_.counters.packet_out(cmd_id);
  outbox_.append_shared(cmd_id, 0, std::move(body), suffix);
  queued();
}

void Session::kick(std::string_view kickout) {
  if (state_ != State::kOpen) return;
  begin_closing();  // first: what is answered to a client that is too slow may be too much itself
  if (!kickout.empty() && state_ == State::kClosing) append(client::COMMAND_KICKOUT, 0, kickout);
}

void Session::kick(client::KickReason reason, std::string_view message, std::uint32_t reconnect_after_ms) {
  client::Kickout kickout;
  kickout.set_reason(reason);
  kickout.set_message(std::string(message));
  kickout.set_reconnect_after_ms(reconnect_after_ms);
  kick(kickout.SerializeAsString());
}

void Session::queued() {
  if (state_ == State::kOpen && outbox_.overflows()) {
    context_.counters.refused(Refusal::kSlowConsumer);
    context_.counters.slow_consumers.add();
    note(to_string(Refusal::kSlowConsumer));
    outbox_.drop_queued();
    return kick(client::KICK_REASON_SLOW_CONSUMER, "reads too slowly");
  }
  if (outbox_.wants_flush()) context_.host.flush_later(shared_from_this());
}

void Session::flush() {
  if (state_ == State::kClosed) return;
  switch (outbox_.flush()) {
    case Outbox::Flushed::kAll:
      return drained();
    case Outbox::Flushed::kRest:
      return context_.loop.spawn("session write", write_rest(shared_from_this()));
    case Outbox::Flushed::kBusy:
      return;
  }
}

net::Awaitable<> Session::write_rest(SessionPtr self) {
  const Status written = co_await Outbox::write_rest(self->outbox_);
  if (self->state_ == State::kClosed) co_return;
  if (!written) {
    self->end("write failed");
    co_return;
  }
  self->drained();
}

// The end.

void Session::begin_closing() {
  if (state_ != State::kOpen) return;
  if (client_.logged_in) {
    context_.upstream.session_closed(client_);
    context_.clients.log_out(client_);
  }
  state_ = State::kClosing;
  start_reading();  // what comes is thrown away, but unread bytes would reset the connection
  context_.host.end_later(shared_from_this());
  context_.host.flush_later(shared_from_this());
}

void Session::drained() {
  // Answers under way may still come, until the linger is over.
  if (state_ != State::kClosing || intake_.in_flight() > 0) return;
  state_ = State::kFinished;
  transport_->finish();
}

std::optional<SteadyTime> Session::check(SteadyTime now) {
  if (state_ != State::kOpen) return SteadyTime::max();  // its end is near anyway
  const SessionOptions& options = context_.options;
  const SteadyTime deadline = client_.logged_in ? client_.last_packet + options.heartbeat * 3 / 2
                                                : client_.accepted_at + options.login_deadline;
  if (now < deadline) {
    if (const auto next = transport_->keep_alive(now)) return std::min(deadline, *next);
    context_.counters.refused(Refusal::kNoPong);
    end("answers no pings");
    return std::nullopt;
  }
  context_.counters.refused(client_.logged_in ? Refusal::kHeartbeat : Refusal::kLoginDeadline);
  end(client_.logged_in ? "silent" : "no login in time");
  return std::nullopt;
}

void Session::end(std::string_view reason) {
  if (state_ == State::kClosed) return;
  const SessionPtr self = std::move(self_);  // lives until this returns
  log::debug("gate", "closed c={} reason={}", client_.channel, log::quoted(reason));
  if (client_.logged_in || auth_pending_ || auth_in_doubt_) context_.upstream.session_closed(client_);
  if (client_.logged_in) context_.clients.log_out(client_);
  state_ = State::kClosed;
  outbox_.close();
  transport_->close();
  arrived_.place = {};
  context_.clients.remove(client_.channel);
}

void Session::note(std::string_view what) {
  const auto suppressed = context_.lines.allow(SteadyClock::now());
  if (!suppressed) return;
  log::info("gate", "refused c={} address={} reason={} suppressed={}", client_.channel,
            arrived_.address.to_string(), log::quoted(what), *suppressed);
}

}  // namespace hongyan::gate
