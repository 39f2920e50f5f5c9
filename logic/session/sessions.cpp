#include "logic/session/sessions.h"

#include <algorithm>

#include "common/log/log.h"
#include "logic/message/accept.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMaxDeviceId = 128;

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
  if (auto known = verifier_.verify(request.app_id, request.uid, auth_.token()); !known) {
    return context_.refuse(request.reply_to, known.error());
  }
  if (context_.slots.status(request.slot) != SlotStatus::kServing) {
    return context_.refuse(request.reply_to, {Code::kUnavailable, "storage is away", 500});
  }
  User& user = context_.users.get(request.app_id, request.uid, request.slot);
  auth_.clear_token();
  const auto finish = [this, &user, to = request.reply_to, channel = request.channel,
                       auth = std::make_shared<client::AuthReq>(auth_)](const Status& status) {
    if (!status) return context_.refuse(to, status.error());
    Request again;
    again.reply_to = to;
    again.slot = user.slot;
    again.channel = channel;
    open(user, again, *auth);
  };
  with_tails(user, finish);
}

void Sessions::open(User& user, const Request& request, const client::AuthReq& auth) {
  const auto type = static_cast<std::uint32_t>(auth.device_type());
  const DeviceClass device = device_class(type);
  if (Session* older = user.session_of(device)) {
    const bool same_channel =
        older->channel == request.channel && older->gate->boot_id() == request.reply_to.gate->boot_id();
    if (!same_channel) {
      // A phone that changed networks replaces itself silently.
      const bool same_device = !auth.device_id().empty() && auth.device_id() == older->device_id;
      if (same_device) {
        static_cast<void>(older->gate->kick(older->channel, {}));
      } else {
        kick(*older, client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
      }
    }
    remove(user, *older, false, "replaced");
  }
  Session session;
  session.device_class = device;
  session.device_type = type;
  session.device_id = auth.device_id();
  session.channel = request.channel;
  session.login_epoch = next_epoch(user, device, context_.shards.index_of(user.slot));
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
  reply(to, response.SerializeAsString(), session.login_epoch);
}

Session& Sessions::add(User& user, Session session) {
  session.number = next_number_++;
  user.sessions.push_back(std::make_unique<Session>(std::move(session)));
  if (user.sessions.size() == 1) online_.insert(&user);
  Session& added = *user.sessions.back();
  by_channel_[name_of(*added.gate, added.channel)] = {&user, &added};
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
  pusher_.session_closed(session);
  if (with_route) routes_.remove(user, session);
  context_.counters.sessions.fetch_sub(1, std::memory_order_relaxed);
  user.last_active_ms = std::max(user.last_active_ms, session.last_active_ms);
  std::erase_if(user.sessions, [&session](const auto& one) { return one.get() == &session; });
  if (user.sessions.empty()) online_.erase(&user);
}

bool Sessions::kick(Session& session, client::KickReason reason, std::string_view message) {
  client::Kickout kickout;
  kickout.set_reason(reason);
  kickout.set_message(std::string(message));
  PipelineCounters::add(context_.counters.kicks);
  session.end_reason = text_of(reason);
  return session.gate->kick(session.channel, kickout.SerializeAsString());
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
  if (known != nullptr && known->login_epoch > told.login_epoch()) {
    Session stale;
    stale.gate = gate;
    stale.channel = told.channel();
    kick(stale, client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
    return;
  }
  if (known != nullptr) {
    const bool same = known->login_epoch == told.login_epoch() && known->channel == told.channel();
    if (!same) kick(*known, client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
    remove(user, *known, false, same ? "" : "other_login");
  }
  std::uint64_t& highest = user.highest_epoch[index_of(device)];
  highest = std::max(highest, told.login_epoch());
  Session session;
  session.device_class = device;
  session.device_type = told.device_type();
  session.device_id = told.device_id();
  session.channel = told.channel();
  session.login_epoch = told.login_epoch();
  session.gate = gate;
  session.last_active_ms = told.last_active_ms();
  add(user, std::move(session));

  // What was stored while nobody knew of the session was not pushed to it.
  const std::uint64_t epoch = told.login_epoch();
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

void Sessions::alive(const GatePort& gate, const link::Session& told) {
  User* user = context_.users.find(told.app_id(), told.uid());
  Session* session = user == nullptr ? nullptr : user->session_on(gate, told.channel());
  if (session == nullptr) return;
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
