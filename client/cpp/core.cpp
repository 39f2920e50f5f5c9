#include "client/cpp/core.h"

#include <algorithm>

#include "common/base/version.h"
#include "common/log/log.h"
#include "common/protocol/commands.h"
#include "proto/parse.h"

namespace hongyan::client {

namespace {

constexpr Milliseconds kLogoutPatience{1'000};
constexpr Milliseconds kPenalty{1'000};  // before coming back after having been told off
constexpr Milliseconds kDefaultHeartbeat{270'000};
constexpr int kMaxRefusedTokens = 3;

// What an OK response says, and the error of another. Nothing: it does not parse.
struct SendAnswer {
  SendReceipt receipt{};
  client::Error error{};
};

// Also of C2S and C2G_SEND: their responses have the same form.
std::optional<SendAnswer> c2c_answer(std::string_view body) {
  C2CSendResp response;
  if (!parse(response, body)) return std::nullopt;
  return SendAnswer{.receipt = {.msg_id = response.msg_id(),
                                .time_ms = response.timestamp(),
                                .outbox_seq = response.outbox_seq()},
                    .error = response.error()};
}

std::optional<SendAnswer> ctrl_answer(std::string_view body) {
  CtrlSendResp response;
  if (!parse(response, body)) return std::nullopt;
  SendAnswer answer{.receipt = {.msg_id = response.msg_id(), .time_ms = response.timestamp()},
                    .error = response.error()};
  if (!parse(answer.receipt.group, response.content())) return std::nullopt;
  return answer;
}

}  // namespace

ClientCore::ClientCore(CoreOptions options, Random random)
    : options_(std::move(options)),
      random_(std::move(random)),
      outputs_(options_.client_version),
      pace_(options_.request_timeout),
      sends_(options_, outputs_, pace_, random_),
      inbox_(options_, outputs_, pace_, sends_, random_),
      backoff_(options_.backoff_min, options_.backoff_max, random_) {}

void ClientCore::start(SteadyTime now) {
  if (state_ != State::kStopped) return;
  backoff_.reset();
  refused_tokens_ = 0;
  connect(now);
}

void ClientCore::connect(SteadyTime /*now*/) {
  connect_at_ = SteadyTime::max();
  connection_ = true;
  set_state(State::kConnecting, {.code = Code::kOk, .message = {}});
  outputs_.put(output::Connect{});
}

void ClientCore::stop(SteadyTime now) {
  if (state_ == State::kStopped || stopping_) return;
  if (state_ != State::kOnline) return stop_for_good({.code = Code::kOk, .message = "stopped"});
  stopping_ = true;
  stop_at_ = now + kLogoutPatience;
  LogoutReq request;
  request.set_uid(options_.uid);
  outputs_.write(COMMAND_LOGOUT, request.SerializeAsString());
}

void ClientCore::hurry(SteadyTime now) {
  if (state_ == State::kOnline && noop_seq_ == 0) {
    say_noop(now);
    watch(false, now);
  }
  if (state_ != State::kWaiting) return;
  backoff_.reset();
  connect_at_ = std::min(connect_at_, now + backoff_.next());
}

void ClientCore::abandon() {
  if (state_ != State::kStopped) stop_for_good({.code = Code::kOk, .message = "stopped"});
}

void ClientCore::connected(std::string token, std::int64_t wall_ms, SteadyTime now) {
  if (state_ != State::kConnecting || auth_seq_ != 0) return;
  AuthReq request;
  request.set_token(std::move(token));
  request.set_uid(options_.uid);
  request.set_timestamp(wall_ms);
  request.set_app_id(options_.app_id);
  request.set_device_type(options_.device_type);
  request.set_device_id(options_.device_id);
  request.set_sdk(std::string("hongyan-cpp/") + version());
  const std::string body = request.SerializeAsString();
  auth_seq_ = outputs_.write(COMMAND_AUTH, body);
  pace_.wrote(auth_seq_, body.size(), now);
  watch(false, now);
}

void ClientCore::disconnected(Failure reason, SteadyTime now) {
  if (!connection_) return;
  connection_ = false;
  if (stopping_) return stop_for_good({.code = Code::kOk, .message = "stopped"});
  reconnect_later(Milliseconds(0), std::move(reason), now);
}

void ClientCore::refuse(Failure reason, SteadyTime /*now*/) {
  if (state_ != State::kStopped) stop_for_good(std::move(reason));
}

void ClientCore::leave_connection() {
  if (connection_) outputs_.put(output::Close{});
  connection_ = false;
  auth_seq_ = 0;
  noop_seq_ = 0;
  session_id_ = 0;
  heartbeat_at_ = SteadyTime::max();
  silent_since_.reset();
  inbox_.on_offline();
  sends_.on_offline();
  pace_.reset();
}

void ClientCore::reconnect_later(Milliseconds at_least, Failure reason, SteadyTime now) {
  const bool spread = state_ == State::kOnline && at_least.count() == 0;
  const double later = spread ? static_cast<double>(options_.reconnect_spread.count()) * random_() : 0;
  leave_connection();
  connect_at_ = now + at_least + Milliseconds(static_cast<std::int64_t>(later)) + backoff_.next();
  set_state(State::kWaiting, std::move(reason));
}

void ClientCore::stop_for_good(Failure reason) {
  leave_connection();
  stopping_ = false;
  connect_at_ = SteadyTime::max();
  stop_at_ = SteadyTime::max();
  sends_.fail_all(reason.message.empty() ? "the client is stopped" : reason.message);
  set_state(State::kStopped, std::move(reason));
}

void ClientCore::set_state(State state, Failure reason) {
  if (state == state_) return;
  state_ = state;
  outputs_.put(output::StateChanged{state, std::move(reason)});
}

void ClientCore::protocol_error(std::string what, SteadyTime now) {
  log::warn("client", "protocol error: {}", what);
  reconnect_later(kPenalty, {.code = Code::kInternal, .message = std::move(what)}, now);
}

void ClientCore::say_noop(SteadyTime now) {
  noop_seq_ = outputs_.write(COMMAND_NOOP, {});
  pace_.wrote(noop_seq_, 0, now);
  heartbeat_at_ = now + heartbeat_;
}

void ClientCore::watch(bool received, SteadyTime now) {
  const bool expecting =
      auth_seq_ != 0 || noop_seq_ != 0 || inbox_.pull_in_flight() || sends_.in_flight() > 0;
  if (!expecting) {
    silent_since_.reset();
  } else if (received || !silent_since_) {
    silent_since_ = now;
  }
}

SteadyTime ClientCore::dead_at() const noexcept {
  if (!silent_since_) return SteadyTime::max();
  return *silent_since_ + std::max(pace_.silence(), inbox_.page_patience());
}

void ClientCore::on_bytes(std::size_t bytes, SteadyTime now) {
  if (!connection_) return;
  pace_.received(bytes);
  watch(true, now);
}

void ClientCore::on_packet(const net::Packet& packet, SteadyTime now) {
  if (!connection_) return;
  if (packet.header.seq != 0) pace_.answered(packet.header.seq);
  dispatch(packet, now);
  if (connection_) watch(true, now);
}

void ClientCore::dispatch(const net::Packet& packet, SteadyTime now) {
  using protocol::Kind;
  const auto command = static_cast<Command>(packet.header.cmd_id);
  const std::uint32_t seq = packet.header.seq;
  const bool online = state_ == State::kOnline;
  switch (protocol::command(packet.header.cmd_id).kind) {
    case Kind::kAuth:
      if (auth_seq_ != 0 && seq == auth_seq_) on_auth_response(packet.body, now);
      return;
    case Kind::kKickout:
      return on_kickout(packet.body, now);
    case Kind::kNoop:
      noop_seq_ = 0;
      return;
    case Kind::kRequest:
      return on_response(packet, now);
    case Kind::kPush:
      // With a seq it is an error answering an acknowledgement.
      if (online && seq == 0 && !inbox_.on_push(command, packet.body, now))
        protocol_error("a push does not parse", now);
      return;
    case Kind::kNotice: {
      if (!online || command != COMMAND_SYNC_NOTIFY) return;
      SyncNotify notify;
      if (!parse(notify, packet.body)) return protocol_error("a SYNC_NOTIFY does not parse", now);
      return inbox_.on_sync_notify(notify, now);
    }
    case Kind::kUnknown:
    case Kind::kIgnored:
    case Kind::kInternal:
    case Kind::kNotServed:
      return;
  }
}

void ClientCore::on_response(const net::Packet& packet, SteadyTime now) {
  const auto command = static_cast<Command>(packet.header.cmd_id);
  if (command == COMMAND_LOGOUT) {
    if (stopping_) stop_for_good({.code = Code::kOk, .message = "stopped"});
  } else if (state_ != State::kOnline) {
    return;
  } else if (command == COMMAND_PULL) {
    on_pull_response(packet.header.seq, packet.body, now);
  } else {
    on_send_response(command, packet.header.seq, packet.body, now);
  }
}

void ClientCore::on_auth_response(std::string_view body, SteadyTime now) {
  AuthResp response;
  if (!parse(response, body)) return protocol_error("an AUTH response does not parse", now);
  auth_seq_ = 0;
  if (response.error().code() != ERROR_CODE_OK) return on_auth_refused(response.error(), now);
  refused_tokens_ = 0;
  session_id_ = response.session_id();
  acknowledged_ = response.acked_inbox_seq();
  heartbeat_ = response.heartbeat_seconds() > 0 ? Milliseconds(1000LL * response.heartbeat_seconds())
                                                : kDefaultHeartbeat;
  heartbeat_at_ = now + heartbeat_;
  set_state(State::kOnline, {.code = Code::kOk, .message = {}});
  inbox_.on_online(response, now);
  sends_.on_online(now);
}

void ClientCore::on_auth_refused(const client::Error& error, SteadyTime now) {
  Failure failure{.code = static_cast<Code>(error.code()),
                  .message = error.message(),
                  .retry_after_ms = error.retry_after_ms()};
  switch (error.code()) {
    case ERROR_CODE_UNAVAILABLE:
    case ERROR_CODE_RATE_LIMITED:
    case ERROR_CODE_DEADLINE_EXCEEDED:
    case ERROR_CODE_INTERNAL: {
      const Milliseconds at_least(failure.retry_after_ms);
      return reconnect_later(at_least, std::move(failure), now);
    }
    case ERROR_CODE_UNAUTHENTICATED:
      if (options_.token_renewable && ++refused_tokens_ < kMaxRefusedTokens) {
        return reconnect_later(Milliseconds(0), std::move(failure), now);
      }
      [[fallthrough]];
    default:
      return stop_for_good(std::move(failure));
  }
}

void ClientCore::on_kickout(std::string_view body, SteadyTime now) {
  Kickout kickout;
  if (!parse(kickout, body)) return protocol_error("a KICKOUT does not parse", now);
  Kick kick{.reason = kickout.reason(),
            .message = kickout.message(),
            .reconnect_after = Milliseconds(kickout.reconnect_after_ms()),
            .will_reconnect = true};
  Milliseconds at_least = kick.reconnect_after;
  switch (kick.reason) {
    case KICK_REASON_OTHER_LOGIN:
      kick.will_reconnect = false;
      break;
    case KICK_REASON_ADMIN:
      kick.will_reconnect = kick.reconnect_after.count() > 0;
      break;
    case KICK_REASON_TOKEN_EXPIRED:
      kick.will_reconnect = options_.token_renewable;
      break;
    case KICK_REASON_SERVER_DRAIN:
      break;
    default:
      at_least = std::max(at_least, kPenalty);
      break;
  }
  if (stopping_) kick.will_reconnect = false;
  Failure reason{.code = Code::kUnavailable, .message = "kicked: " + KickReason_Name(kick.reason)};
  if (!kick.will_reconnect) reason.code = Code::kUnauthenticated;
  outputs_.put(output::Kicked{kick});
  if (kick.will_reconnect) {
    reconnect_later(at_least, std::move(reason), now);
  } else {
    stop_for_good(std::move(reason));
  }
}

void ClientCore::on_send_response(Command command, std::uint32_t seq, std::string_view body, SteadyTime now) {
  auto answer = command == COMMAND_CTRL_SEND ? ctrl_answer(body) : c2c_answer(body);
  if (!answer) return protocol_error("a response does not parse", now);
  if (answer->error.code() == ERROR_CODE_OK) inbox_.on_sent(command, answer->receipt, now);
  sends_.on_response(seq, std::move(answer->receipt), answer->error, now);
}

void ClientCore::on_pull_response(std::uint32_t seq, std::string_view body, SteadyTime now) {
  PullResp response;
  if (!parse(response, body)) return protocol_error("a PULL response does not parse", now);
  inbox_.on_pull_response(seq, response, now);
  // A connection counts as a success only now: one that is cut after each AUTH must not be made again in a
  // hurry.
  if (inbox_.synced()) backoff_.reset();
}

void ClientCore::send(SendId id, Outgoing what, SendOptions send_options, SteadyTime now) {
  auto request = make_request(options_, std::move(what), std::move(send_options));
  if (!request) {
    outputs_.put(output::SendDone{id, std::unexpected(request.error())});
  } else if (state_ == State::kStopped || stopping_) {
    outputs_.put(output::SendDone{id, fail(Code::kUnavailable, "the client is stopped")});
  } else {
    sends_.add(id, std::move(*request), now);
    watch(false, now);
  }
}

void ClientCore::pull(SteadyTime now) {
  inbox_.pull(now);
  watch(false, now);
}

void ClientCore::on_time(SteadyTime now) {
  if (stop_at_ <= now) return stop_for_good({.code = Code::kOk, .message = "stopped"});
  if (connect_at_ <= now) return connect(now);
  if (dead_at() <= now) {
    inbox_.page_did_not_come();
    reconnect_later(Milliseconds(0), {.code = Code::kUnavailable, .message = "the server does not answer"},
                    now);
  }
  sends_.on_time(now);
  inbox_.on_time(now);
  if (heartbeat_at_ <= now) say_noop(now);
  watch(false, now);
}

SteadyTime ClientCore::next_wake() const noexcept {
  return std::min({connect_at_, heartbeat_at_, stop_at_, sends_.next_wake(), inbox_.next_wake(), dead_at()});
}

}  // namespace hongyan::client
