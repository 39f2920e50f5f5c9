#include "logic/session/sessions.h"

#include <algorithm>

#include "common/log/log.h"
#include "logic/message/accept.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMaxDeviceId = 128;
constexpr int kMostExpired = 5000;  // of one tick

// "other_login"
std::string_view text_of(client::KickReason reason) {
  switch (reason) {
    case client::KICK_REASON_OTHER_LOGIN:
      return "other_login";
    case client::KICK_REASON_ADMIN:
      return "admin";
    case client::KICK_REASON_TOKEN_EXPIRED:
      return "token_expired";
    default:
      return "kicked";
  }
}

bool is_on(const Session& session, const GatePort& gate, std::uint64_t channel) {
  return session.channel == channel && session.gate->boot_id() == gate.boot_id();
}

bool is_same_device(const Session& session, std::string_view device_id) {
  return !device_id.empty() && session.device_id == device_id;
}

std::size_t index_of(DeviceClass device_class) { return static_cast<std::size_t>(device_class); }

}  // namespace

std::uint64_t Sessions::next_epoch(User& user, DeviceClass device_class, std::size_t shard) {
  // The shard's clock, because two nodes' clocks differ.
  std::uint64_t& highest = user.highest_epoch[index_of(device_class)];
  highest =
      std::max(static_cast<std::uint64_t>(std::max<std::int64_t>(context_.shards.at(shard).clock_ms(), 1)),
               highest + 1);
  return highest;
}

void Sessions::with_tails(User& user, std::function<void(const Status&)> then) {
  if (user.loaded) return then({});
  user.waiting_for_tails.push_back(std::move(then));
  if (user.waiting_for_tails.size() > 1) return;  // asked already
  auto work = std::make_unique<TailsWork>();
  work->user = user.key;
  work->slot = user.slot;
  work->worker = context_.index;
  work->deadline = context_.now() + context_.config.accept_deadline;
  context_.shards.of(user.slot).submit(std::move(work));
}

void Sessions::tails_finished(const TailsWork& work) {
  User* user = context_.users.find(work.user.app_id, work.user.uid);
  if (user == nullptr) return;  // cannot be: who waits keeps it in memory
  Status status;
  if (work.outcome == WriterWork::Outcome::kStored) {
    user->inbox_seq = std::max(user->inbox_seq.value_or(0), work.inbox_seq);
    user->outbox_seq = std::max(user->outbox_seq.value_or(0), work.outbox_seq);
    cursors_.loaded(*user, work.cursors);
    for (const auto& membership : work.groups) user->learn(membership);
    user->loaded = true;
  } else {
    status = std::unexpected(work.error);
  }
  std::vector<std::function<void(const Status&)>> waiting;
  waiting.swap(user->waiting_for_tails);
  for (auto& then : waiting) then(status);
}

void Sessions::auth(const Request& request) {
  if (!auth_.ParseFromArray(request.body.data(), static_cast<int>(request.body.size()))) {
    return context_.refuse(request.reply_to, {Code::kBadRequest, "body does not parse"});
  }
  auto id_ok = check_id(request.uid, kMaxUid, "uid");
  if (id_ok && auth_.uid() != request.uid) id_ok = fail(Code::kBadRequest, "uid");
  if (id_ok && auth_.device_id().size() > kMaxDeviceId)
    id_ok = fail(Code::kBadRequest, "device_id is too long");
  if (!id_ok) return context_.refuse(request.reply_to, id_ok.error());
  const auto expires_ms = verifier_.verify(request.app_id, request.uid, auth_.token());
  if (!expires_ms) return context_.refuse(request.reply_to, expires_ms.error());
  if (context_.slots.status(request.slot) != SlotStatus::kServing) {
    return context_.refuse(request.reply_to, {Code::kUnavailable, "storage is away", 500});
  }
  User& user = context_.users.get(request.app_id, request.uid, request.slot);
  auth_.clear_token();
  const SteadyTime deadline = context_.now() + context_.config.accept_deadline;
  const auto finish = [this, &user, deadline, to = request.reply_to, channel = request.channel,
                       expires = *expires_ms,
                       auth = std::make_shared<client::AuthReq>(auth_)](const Status& status) {
    if (!status) return context_.refuse(to, status.error());
    // Its gate has given the client up by now: it must not take the place of who is there.
    if (context_.now() > deadline) return context_.refuse(to, {Code::kUnavailable, "storage is slow", 500});
    Request again;
    again.reply_to = to;
    again.slot = user.slot;
    again.channel = channel;
    open(user, again, *auth, expires);
  };
  with_tails(user, finish);
}

void Sessions::open(User& user, const Request& request, const client::AuthReq& auth,
                    std::int64_t expires_ms) {
  const auto type = static_cast<std::uint32_t>(auth.device_type());
  const DeviceClass device = device_class(type);
  if (Session* older = user.session_of(device)) {
    std::string_view reason = "replaced";
    if (!is_on(*older, *request.reply_to.gate, request.channel)) {
      reason = kick_older(older->gate, older->channel, is_same_device(*older, auth.device_id()));
    }
    remove(user, *older, false, reason);
  }
  Session session;
  session.device_class = device;
  session.device_type = type;
  session.device_id = auth.device_id();
  session.channel = request.channel;
  session.login_epoch = next_epoch(user, device, context_.shards.index_of(user.slot));
  session.expires_ms = expires_ms;
  session.gate = request.reply_to.gate;
  session.last_active_ms = context_.wall();
  Session& added = add(user, std::move(session));
  PipelineCounters::add(context_.counters.logins);
  context_.tell(user, added, {.kind = Event::Kind::kLogin});
  answer_auth(user, added, request.reply_to);
}

void Sessions::answer_auth(User& user, Session& session, const ReplyTo& to) {
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
                            .body = response.SerializeAsString()});
}

Session& Sessions::add(User& user, Session session) {
  session.number = next_number_++;
  user.sessions.push_back(std::make_unique<Session>(std::move(session)));
  if (user.sessions.size() == 1) online_.insert(&user);
  Session& added = *user.sessions.back();
  by_channel_[name_of(*added.gate, added.channel)] = {&user, &added};
  if (added.expires_ms != 0) by_expiry_[{added.expires_ms, added.number}] = {&user, &added};
  pusher_.session_opened(user, added);
  context_.counters.sessions.fetch_add(1, std::memory_order_relaxed);
  routes_.put(user, added);
  return added;
}

void Sessions::remove(User& user, Session& session, bool with_route, std::string_view reason) {
  if (!reason.empty()) {
    if (!session.end_reason.empty()) reason = session.end_reason;
    context_.tell(user, session, {.kind = Event::Kind::kLogout, .reason = reason});
  }
  const auto named = by_channel_.find(name_of(*session.gate, session.channel));
  if (named != by_channel_.end() && named->second.session == &session) by_channel_.erase(named);
  by_expiry_.erase({session.expires_ms, session.number});
  pusher_.session_closed(session);
  if (with_route) routes_.remove(user, session);
  context_.counters.sessions.fetch_sub(1, std::memory_order_relaxed);
  user.last_active_ms = std::max(user.last_active_ms, session.last_active_ms);
  std::erase_if(user.sessions, [&session](const auto& one) { return one.get() == &session; });
  if (user.sessions.empty()) online_.erase(&user);
}

bool Sessions::kick(const GatePortPtr& gate, std::uint64_t channel, client::KickReason reason,
                    std::string_view message) {
  client::Kickout kickout;
  kickout.set_reason(reason);
  kickout.set_message(std::string(message));
  PipelineCounters::add(context_.counters.kicks);
  return gate->kick(channel, kickout.SerializeAsString());
}

bool Sessions::kick(Session& session, client::KickReason reason, std::string_view message) {
  session.end_reason = text_of(reason);
  return kick(session.gate, session.channel, reason, message);
}

std::string_view Sessions::kick_older(const GatePortPtr& gate, std::uint64_t channel, bool same_device) {
  // A phone that changed networks replaces itself silently.
  if (same_device) {
    static_cast<void>(gate->kick(channel, {}));
    return "replaced";
  }
  kick(gate, channel, client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
  return text_of(client::KICK_REASON_OTHER_LOGIN);
}

void Sessions::describe(const User& user, client::Presence& out) {
  out.set_uid(user.key.uid);
  out.set_online(!user.sessions.empty());
  std::int64_t last_active = user.last_active_ms;
  for (const auto& session : user.sessions) {
    out.add_devices(static_cast<client::DeviceType>(session->device_type));
    last_active = std::max(last_active, session->last_active_ms);
  }
  out.set_last_active(last_active);
}

void Sessions::presence(std::string_view app_id, std::string_view uid, client::Presence& out) {
  const User* user = context_.users.find(app_id, uid);
  if (user != nullptr) return describe(*user, out);
  out.set_uid(std::string(uid));
}

Result<int> Sessions::kick(std::string_view app_id, std::string_view uid,
                           std::optional<std::uint32_t> device_type, std::string_view message) {
  const User* user = context_.users.find(app_id, uid);
  if (user == nullptr) return 0;
  int told = 0;
  bool all = true;
  for (const auto& session : user->sessions) {
    if (device_type && session->device_type != *device_type) continue;
    const bool sent = kick(*session, client::KICK_REASON_ADMIN, message);
    told += sent ? 1 : 0;
    all = all && sent;
  }
  if (!all) return fail(Code::kUnavailable, "a gate of the user cannot be reached now", 500);
  return told;
}

void Sessions::online(std::string_view app_id, Slot slot, std::string_view after, std::size_t limit,
                      const std::function<void(const User&)>& visit) const {
  for (auto it = online_.upper_bound(OnlineKey{slot, app_id, after}); it != online_.end() && limit > 0;
       ++it) {
    if ((*it)->slot != slot || (*it)->key.app_id != app_id) return;
    visit(**it);
    --limit;
  }
}

void Sessions::logout(const Request& request) {
  client::LogoutReq logout;
  if (!logout.ParseFromArray(request.body.data(), static_cast<int>(request.body.size()))) {
    return context_.refuse(request.reply_to, {Code::kBadRequest, "body does not parse"});
  }
  if (!logout.uid().empty() && logout.uid() != request.uid) {
    return context_.refuse(request.reply_to, {Code::kPermissionDenied, "uid is not the session's user"});
  }
  closed(*request.reply_to.gate, request.channel, "logout");
  reply(request.reply_to, client::LogoutResp().SerializeAsString());
}

void Sessions::announced(const GatePortPtr& gate, const link::Session& told, Slot slot) {
  User& user = context_.users.get(told.app_id(), told.uid(), slot);
  const DeviceClass device = device_class(told.device_type());
  Session* known = user.session_of(device);
  // It may have logged in once more meanwhile, so that its gate does not know its epoch yet.
  const bool same = known != nullptr && is_on(*known, *gate, told.channel());
  std::uint64_t& highest = user.highest_epoch[index_of(device)];
  if (!same && told.login_epoch() < highest) {
    // A later login took its place, even if that has ended since.
    kick_older(gate, told.channel(), known != nullptr && is_same_device(*known, told.device_id()));
    return;
  }
  const bool newer_known = same && known->login_epoch > told.login_epoch();
  Session session;
  session.device_class = device;
  session.device_type = told.device_type();
  session.device_id = told.device_id();
  session.channel = told.channel();
  session.login_epoch = newer_known ? known->login_epoch : told.login_epoch();
  session.expires_ms = newer_known ? known->expires_ms : told.expires_ms();
  session.gate = gate;
  session.last_active_ms = told.last_active_ms();
  if (known != nullptr) {
    std::string_view reason;  // none: it goes on
    if (!same) reason = kick_older(known->gate, known->channel, is_same_device(*known, told.device_id()));
    remove(user, *known, false, reason);
  }
  const std::uint64_t epoch = highest = std::max(highest, session.login_epoch);
  add(user, std::move(session));

  // What was stored while nobody knew of the session was not pushed to it.
  with_tails(user, [this, &user, device, epoch, claimed = told.acked_inbox_seq()](const Status& status) {
    Session* now = user.session_of(device);
    if (now == nullptr || now->login_epoch != epoch) return;
    if (!status) {
      now->owes_ack = true;
      return;
    }
    // The gate repeats what the client claimed to hold, perhaps more than there is.
    const std::int64_t& held = user.acked_inbox[index_of(device)];
    if (const std::int64_t seq = std::min(claimed, *user.inbox_seq); seq > held) {
      pusher_.acked_inbox(user, now, device, seq);
    }
    if (*user.inbox_seq > held) pusher_.sync_notify(user, *now);
  });
}

void Sessions::alive(const GatePortPtr& gate, const link::Session& told, Slot slot) {
  User* user = context_.users.find(told.app_id(), told.uid());
  Session* session = user == nullptr ? nullptr : user->session_on(*gate, told.channel());
  // Not known: the kick was lost, or this node forgot it when the gate's link was down for long.
  if (session == nullptr) return announced(gate, told, slot);
  pusher_.sign_of_life(*user, *session);
  session->last_active_ms = std::max(session->last_active_ms, told.last_active_ms());
  routes_.put(*user, *session);
}

void Sessions::closed(const GatePort& gate, std::uint64_t channel, std::string_view reason) {
  const auto live = by_channel_.find(name_of(gate, channel));
  if (live != by_channel_.end()) remove(*live->second.user, *live->second.session, true, reason);
}

void Sessions::gate_up(const GatePort& gate) {
  std::vector<std::pair<User*, Session*>> gone;
  context_.users.for_each([&gate, &gone](User& user) {
    for (auto& session : user.sessions) {
      if (session->gate->gate_id() == gate.gate_id() && session->gate->boot_id() != gate.boot_id()) {
        gone.emplace_back(&user, session.get());
      }
    }
  });
  for (auto& [user, session] : gone) remove(*user, *session, true, "gate_lost");
}

void Sessions::gate_down(const GatePortPtr& gate) {
  lost_gates_.push_back({.gate = gate, .until = context_.now() + context_.config.gate_grace});
}

void Sessions::tick() {
  drop_lost_gates();
  drop_expired();
}

void Sessions::drop_expired() {
  const std::int64_t now = context_.wall();
  for (int dropped = 0; dropped < kMostExpired && !by_expiry_.empty(); ++dropped) {
    const auto& [expiry, live] = *by_expiry_.begin();
    if (expiry.first > now) return;
    // Should the kick be lost: when its gate tells of the session again, it is kicked again.
    kick(*live.session, client::KICK_REASON_TOKEN_EXPIRED, "the token has expired");
    remove(*live.user, *live.session, true, "token_expired");
  }
}

void Sessions::drop_lost_gates() {
  while (!lost_gates_.empty() && lost_gates_.front().until <= context_.now()) {
    const GatePortPtr gate = lost_gates_.front().gate;
    lost_gates_.erase(lost_gates_.begin());
    std::vector<std::pair<User*, Session*>> gone;
    context_.users.for_each([&gate, &gone](User& user) {
      for (auto& session : user.sessions) {
        if (session->gate == gate) gone.emplace_back(&user, session.get());
      }
    });
    for (auto& [user, session] : gone) remove(*user, *session, true, "gate_lost");
  }
}

void Sessions::rewrite_routes() {
  context_.users.for_each([this](User& user) {
    for (auto& session : user.sessions) routes_.put(user, *session);
  });
}

}  // namespace hongyan::logic
