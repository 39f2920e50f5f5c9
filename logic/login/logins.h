// Logins of one slot thread's users: tokens, login epochs, kickout, the sessions that gates tell of.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/auth/token.h"
#include "logic/login/announcements.h"
#include "logic/login/confirmations.h"
#include "logic/login/session_table.h"
#include "logic/message/push_acks.h"
#include "logic/user/request.h"
#include "logic/user/route_store.h"
#include "logic/user/thread_context.h"
#include "logic/user/user_loader.h"
#include "proto/client.pb.h"
#include "proto/link.pb.h"

namespace hongyan::logic {

// Hears of sessions that gates told of. On the slot thread.
class SessionWatcher {
 public:
  virtual ~SessionWatcher() = default;
  // A gate announced the session anew, and its user is loaded.
  virtual void session_announced(const User& user, Session& session) = 0;
};

// One thread. The higher login epoch wins everywhere: of two sessions of one (user, device class) the
// older one is kicked, whichever is heard of first.
//
// A login waits for its user's rows, and for the gates' announcements when the slot was just acquired;
// the older session that it replaces is kicked when its client is known to be there (Confirmations).
class Logins {
 public:
  struct Deps {
    ThreadContext& context;
    UserLoader& loader;
    PushAcks& acks;
    const auth::TokenVerifier& verifier;
    RouteStore& routes;
    SessionWatcher& watcher;
  };
  explicit Logins(const Deps& deps)
      : context_(deps.context),
        loader_(deps.loader),
        acks_(deps.acks),
        verifier_(deps.verifier),
        routes_(deps.routes),
        watcher_(deps.watcher),
        table_(deps.context, deps.acks, deps.routes),
        announcements_(deps.context),
        confirmations_(deps.context, table_) {}

  void auth(const Request& request);
  void logout(const Request& request);

  // A gate tells of a session: anew after its link or the slot's owner changed, or that it is alive. One
  // that should not be (a later login, an expired token) is kicked, again if need be.
  void announced(const GatePortPtr& gate, const link::Session& told, Slot slot);
  // All sessions that the gate has of the slots that it was told of up to this version.
  void announced_all(const GatePort& gate, std::uint64_t version) { announcements_.complete(gate, version); }
  void alive(const GatePortPtr& gate, const link::Session& told, Slot slot);
  // The connection has ended, an AUTH of it that still waits included. reason: of the logout event.
  void closed(const GatePort& gate, std::uint64_t channel, std::string_view reason = "connection_lost");

  // A loop of a gate linked up: sessions of an earlier boot of that gate are gone.
  void gate_up(const GatePort& gate);
  // Its link broke: its sessions are kept for gate_grace, in which it may announce them again.
  void gate_down(const GatePortPtr& gate);
  void tick();

  // The user's slot leaves. Its sessions go on elsewhere: neither they nor routes nor events end.
  void leave(User& user) { table_.forget(user); }
  // Runs `then` once the sessions of the slot are known, or have had their time to be, or the slot has left; at once if
  // so.
  void when_known(Slot slot, std::function<void()> then);

  // For the server API. Devices of an offline user: none, and last_active is 0 when it is not known.
  void presence(std::string_view app_id, std::string_view uid, client::Presence& out);
  // Tells the gates to close the user's sessions; they go once the gates have. device_type: only these;
  // absent: all. Returns how many; error kUnavailable: a gate cannot be told now.
  [[nodiscard]] Result<int> kick(std::string_view app_id, std::string_view uid,
                                 std::optional<std::uint32_t> device_type, std::string_view message);
  // In force from now on (until_ms 0: ended): logins are refused, and the gates are told to close the
  // sessions. How many were told; who was not is kicked when its gate tells of it.
  int set_ban(User& user, const Ban& ban);
  [[nodiscard]] const SessionTable& table() const noexcept { return table_; }

  // Redis was emptied: every route is written again.
  void rewrite_routes();

 private:
  // An AUTH whose token is good.
  struct Login {
    ReplyTo to;
    std::uint64_t channel = 0;
    std::uint32_t device_type = 0;
    std::string device_id;
    std::int64_t expires_ms = 0;  // its token
    SteadyTime deadline;
  };
  [[nodiscard]] bool is_banned(const User& user) const;
  bool kick_banned(const User& user, Session& session);
  void begin(User& user, Login login);
  // The tails are known, or why not; and the sessions of before, too.
  void go_on(User& user, const Login& login, const Status& status);
  void open(User& user, Login login);
  void answer_auth(User& user, Session& session, const ReplyTo& to);
  Session& add(User& user, Session session);
  void remove_of(const std::function<bool(const Session&)>& is_gone);
  void drop_lost_gates();
  void drop_expired();
  [[nodiscard]] std::uint64_t next_epoch(User& user, DeviceClass device_class, std::size_t shard);

  ThreadContext& context_;
  UserLoader& loader_;
  PushAcks& acks_;
  const auth::TokenVerifier& verifier_;
  RouteStore& routes_;
  SessionWatcher& watcher_;
  SessionTable table_;
  Announcements announcements_;
  Confirmations confirmations_;

  // AUTHs that wait: how many of each connection.
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> waiting_;  // boot id, channel
  struct LostGate {
    GatePortPtr gate;
    SteadyTime until;
  };
  std::vector<LostGate> lost_gates_;
  client::AuthReq auth_;
};

}  // namespace hongyan::logic
