#include "logic/login/logins.h"

#include <algorithm>

#include "common/log/log.h"
#include "logic/login/kick.h"
#include "logic/message/accept.h"
#include "logic/user/presence.h"

namespace hongyan::logic {

namespace {

constexpr int kMostExpired = 5000;  // of one tick

std::string banned_text(const Ban& ban) { return ban.reason.empty() ? "banned" : "banned: " + ban.reason; }

std::size_t index_of(DeviceClass device_class) { return static_cast<std::size_t>(device_class); }

}  // namespace

std::uint64_t Logins::next_epoch(User& user, DeviceClass device_class, std::size_t shard) {
  // The shard's clock, because two nodes' clocks differ.
  std::uint64_t& highest = user.highest_epoch[index_of(device_class)];
  highest =
      std::max(static_cast<std::uint64_t>(std::max<std::int64_t>(context_.shards.at(shard).clock_ms(), 1)),
               highest + 1);
  return highest;
}

void Logins::auth(const Request& request) {
  if (!context_.parse(request, auth_)) return;
  auto id_ok = check_id(request.uid, kMaxUid, "uid");
  if (id_ok && auth_.uid() != request.uid) id_ok = fail(Code::kBadRequest, "uid");
  if (id_ok && auth_.device_id().size() > kMaxDeviceId)
    id_ok = fail(Code::kBadRequest, "device_id is too long");
  if (!id_ok) return context_.refuse(request.reply_to, id_ok.error());
  const auto expires_ms = verifier_.verify(request.app_id, request.uid, auth_.token());
  if (!expires_ms) return context_.refuse(request.reply_to, expires_ms.error());
  if (!context_.serves(request)) return;
  User& user = context_.users.get(request.app_id, request.uid, request.slot);
  begin(user, {.to = request.reply_to,
               .channel = request.channel,
               .device_type = static_cast<std::uint32_t>(auth_.device_type()),
               .device_id = auth_.device_id(),
               .expires_ms = *expires_ms,
               .deadline = context_.now() + context_.config.accept_deadline});
}

void Logins::begin(User& user, Login login) {
  if (user.loaded && announcements_.knows(user.slot)) return open(user, std::move(login));
  ++waiting_[{login.to.gate->boot_id(), login.channel}];
  loader_.load(user, [this, &user, login = std::move(login)](const Status& status) {
    if (!status || announcements_.knows(user.slot)) return go_on(user, login, status);
    ++user.busy;
    announcements_.wait(user.slot, [this, &user, login] {
      --user.busy;
      go_on(user, login, {});
    });
  });
}

void Logins::go_on(User& user, const Login& login, const Status& status) {
  const auto waits = waiting_.find({login.to.gate->boot_id(), login.channel});
  // Of a client that has gone, and must not take the place of who is there.
  if (waits == waiting_.end()) return context_.refuse(login.to, {Code::kUnavailable, "the client has gone"});
  if (--waits->second == 0) waiting_.erase(waits);
  if (!status) return context_.refuse(login.to, status.error());
  if (user.retired || !context_.serves(user.slot)) return context_.refuse(login.to, storage_is_away());
  // Its gate has given the client up by now.
  if (context_.now() > login.deadline || !login.to.gate->is_open()) {
    return context_.refuse(login.to, {Code::kUnavailable, "storage is slow", kRetryMs});
  }
  open(user, login);
}

void Logins::open(User& user, Login login) {
  if (is_banned(user)) return context_.refuse(login.to, {Code::kPermissionDenied, banned_text(*user.ban)});
  const DeviceClass device = device_class(login.device_type);
  const auto before = table_.find(*login.to.gate, login.channel);
  if (before.session != nullptr) table_.remove(*before.user, *before.session, false, "replaced");
  Session session;
  session.device_class = device;
  session.device_type = login.device_type;
  session.device_id = std::move(login.device_id);
  session.channel = login.channel;
  session.login_epoch = next_epoch(user, device, context_.shards.index_of(user.slot));
  session.expires_ms = login.expires_ms;
  session.gate = login.to.gate;
  session.last_active_ms = context_.wall();
  context_.counters.logins.add();
  answer_auth(user, add(user, std::move(session)), login.to);
}

Session& Logins::add(User& user, Session session) {
  Session& added = table_.add(user, std::move(session));
  confirmations_.await(user, added);
  return added;
}

void Logins::answer_auth(User& user, Session& session, const ReplyTo& to) {
  client::AuthResp response;
  response.set_session_id(session.id());
  response.set_server_time(context_.wall());
  response.set_heartbeat_seconds(context_.config.heartbeat_seconds);
  response.set_inbox_seq(*user.inbox_seq);
  response.set_outbox_seq(*user.outbox_seq);
  response.set_acked_inbox_seq(user.acked_inbox[index_of(session.device_class)]);
  if (to.seq == 0) return;
  to.gate->respond(to.seq, {.login_epoch = session.login_epoch,
                            .expires_ms = session.expires_ms,
                            .confirm = session.replaced != nullptr,
                            .body = response.SerializeAsString()});
}

void Logins::when_known(Slot slot, std::function<void()> then) {
  if (announcements_.knows(slot)) return then();
  announcements_.wait(slot, std::move(then));
}

void Logins::presence(std::string_view app_id, std::string_view uid, client::Presence& out) {
  const User* user = context_.users.find(app_id, uid);
  if (user != nullptr) return describe(*user, out);
  out.set_uid(std::string(uid));
}

Result<int> Logins::kick(std::string_view app_id, std::string_view uid,
                         std::optional<std::uint32_t> device_type, std::string_view message) {
  const User* user = context_.users.find(app_id, uid);
  if (user == nullptr) return 0;
  int told = 0;
  bool all = true;
  user->for_each_session([&](Session& session) {
    if (device_type && session.device_type != *device_type) return;
    const bool sent = kick_session(context_, session, client::KICK_REASON_ADMIN, message);
    told += sent ? 1 : 0;
    all = all && sent;
  });
  if (!all) return fail(Code::kUnavailable, "a gate of the user cannot be reached now", kRetryMs);
  return told;
}

bool Logins::is_banned(const User& user) const { return user.ban && user.ban->until_ms > context_.wall(); }

bool Logins::kick_banned(const User& user, Session& session) {
  return kick_session(context_, session, client::KICK_REASON_ADMIN, banned_text(*user.ban));
}

int Logins::set_ban(User& user, const Ban& ban) {
  user.ban_known = true;
  user.ban = ban.until_ms != 0 ? std::make_unique<Ban>(ban) : nullptr;
  if (!is_banned(user)) return 0;
  int told = 0;
  user.for_each_session([&](Session& session) { told += kick_banned(user, session) ? 1 : 0; });
  return told;
}

void Logins::logout(const Request& request) {
  client::LogoutReq logout;
  if (!context_.parse(request, logout)) return;
  if (!logout.uid().empty() && logout.uid() != request.uid) {
    return context_.refuse(request.reply_to, {Code::kPermissionDenied, "uid is not the session's user"});
  }
  closed(*request.reply_to.gate, request.channel, "logout");
  reply(request.reply_to, client::LogoutResp().SerializeAsString());
}

void Logins::announced(const GatePortPtr& gate, const link::Session& told, Slot slot) {
  User& user = context_.users.get(told.app_id(), told.uid(), slot);
  const DeviceClass device = device_class(told.device_type());
  const auto known = table_.find(*gate, told.channel());
  Session* present = user.session_of(device);
  if (known.session != nullptr && known.session != present) {
    // Not for long, or the one in its place goes.
    known.session->gate = gate;
    return;
  }
  const bool same = known.session != nullptr;
  std::uint64_t& highest = user.highest_epoch[index_of(device)];
  if (!same && told.login_epoch() < highest) {
    // A later login took its place, even if that has ended since.
    kick_older(context_, gate, told.channel(),
               present != nullptr && is_same_device(*present, told.device_id()));
    return;
  }
  // It may have logged in once more meanwhile, so that its gate does not know its epoch yet.
  const bool newer_known = same && present->login_epoch > told.login_epoch();
  Session session;
  session.device_class = device;
  session.device_type = told.device_type();
  session.device_id = told.device_id();
  session.channel = told.channel();
  session.login_epoch = newer_known ? present->login_epoch : told.login_epoch();
  session.expires_ms = newer_known ? present->expires_ms : told.expires_ms();
  session.gate = gate;
  session.last_active_ms = told.last_active_ms();
  session.told = !same || present->told;
  if (same) table_.remove(user, *present, false, {});
  const std::uint64_t epoch = highest = std::max(highest, session.login_epoch);
  Session& added = add(user, std::move(session));
  if (!newer_known) confirmations_.confirm(user, added);

  // What was stored while nobody knew of the session was not pushed to it.
  loader_.load(user, [this, &user, device, epoch, claimed = told.acked_inbox_seq()](const Status& status) {
    Session* now = user.session_of(device);
    if (now == nullptr || now->login_epoch != epoch) return;
    if (!status) {
      now->owes_ack = true;
      return;
    }
    if (is_banned(user)) {
      kick_banned(user, *now);
      return;
    }
    // The gate repeats what the client claimed to hold, perhaps more than there is.
    const std::int64_t& held = user.acked_inbox[index_of(device)];
    if (const std::int64_t seq = std::min(claimed, *user.inbox_seq); seq > held) {
      acks_.acked_inbox(user, now, device, seq);
    }
    if (*user.inbox_seq > held) acks_.sync_notify(user, *now);
    watcher_.session_announced(user, *now);
  });
}

void Logins::alive(const GatePortPtr& gate, const link::Session& told, Slot slot) {
  User* user = context_.users.find(told.app_id(), told.uid());
  Session* session = user == nullptr ? nullptr : user->session_on(*gate, told.channel());
  // Not known: the kick was lost, or this node forgot it when the gate's link was down for long.
  if (session == nullptr) return announced(gate, told, slot);
  if (told.login_epoch() >= session->login_epoch) confirmations_.confirm(*user, *session);
  if (is_banned(*user)) kick_banned(*user, *session);  // the kick was lost
  acks_.sign_of_life(*user, *session);
  session->last_active_ms = std::max(session->last_active_ms, told.last_active_ms());
  routes_.put(*user, *session);
}

void Logins::closed(const GatePort& gate, std::uint64_t channel, std::string_view reason) {
  waiting_.erase({gate.boot_id(), channel});
  const auto live = table_.find(gate, channel);
  if (live.session != nullptr) table_.remove(*live.user, *live.session, true, reason);
}

void Logins::remove_of(const std::function<bool(const Session&)>& is_gone) {
  std::vector<std::pair<User*, Session*>> gone;
  context_.users.for_each([&](User& user) {
    user.for_each_session([&](Session& session) {
      if (is_gone(session)) gone.emplace_back(&user, &session);
    });
  });
  for (auto& [user, session] : gone) table_.remove(*user, *session, true, "gate_lost");
}

void Logins::gate_up(const GatePort& gate) {
  announcements_.gate_up(gate);
  remove_of([&gate](const Session& session) {
    return session.gate->gate_id() == gate.gate_id() && session.gate->boot_id() != gate.boot_id();
  });
}

void Logins::gate_down(const GatePortPtr& gate) {
  announcements_.gate_down(*gate);
  lost_gates_.push_back({.gate = gate, .until = context_.now() + context_.config.gate_grace});
}

void Logins::tick() {
  drop_lost_gates();
  drop_expired();
  confirmations_.tick();
  announcements_.tick();
}

void Logins::drop_expired() {
  const std::int64_t now = context_.wall();
  for (int dropped = 0; dropped < kMostExpired; ++dropped) {
    const auto live = table_.expired(now);
    if (live.session == nullptr) return;
    // Should the kick be lost: when its gate tells of the session again, it is kicked again.
    kick_session(context_, *live.session, client::KICK_REASON_TOKEN_EXPIRED, "the token has expired");
    table_.remove(*live.user, *live.session, true, "token_expired");
  }
}

void Logins::drop_lost_gates() {
  while (!lost_gates_.empty() && lost_gates_.front().until <= context_.now()) {
    const GatePortPtr gate = lost_gates_.front().gate;
    lost_gates_.erase(lost_gates_.begin());
    remove_of([&gate](const Session& session) { return session.gate == gate; });
  }
}

void Logins::rewrite_routes() {
  context_.users.for_each([this](User& user) {
    for (auto& session : user.sessions) routes_.put(user, *session);
  });
}

}  // namespace hongyan::logic
