// Logins of one slot thread's users: tokens, login epochs, kickout, what gates announce.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/auth/token.h"
#include "logic/message/context.h"
#include "logic/message/push.h"
#include "logic/message/request.h"
#include "logic/session/cursors.h"
#include "logic/session/route_store.h"
#include "proto/client.pb.h"
#include "proto/link.pb.h"

namespace hongyan::logic {

// One thread. The higher login epoch wins everywhere: of two sessions of one (user, device class) the older
// one is kicked, whichever is heard of first.
class Sessions {
 public:
  Sessions(ThreadContext& context, Cursors& cursors, Pusher& pusher, const auth::TokenVerifier& verifier,
           RouteStore& routes)
      : context_(context), cursors_(cursors), pusher_(pusher), verifier_(verifier), routes_(routes) {}

  void auth(const Request& request);
  void logout(const Request& request);

  // A gate tells of a session: anew after its link or the slot's owner changed, or that it is alive. One that
  // should not be (a later login, an expired token) is kicked, again if need be.
  void announced(const GatePortPtr& gate, const link::Session& told, Slot slot);
  void alive(const GatePortPtr& gate, const link::Session& told, Slot slot);
  // reason: of the logout event.
  void closed(const GatePort& gate, std::uint64_t channel, std::string_view reason = "connection_lost");

  // A gate's worker linked up: sessions of an earlier boot of that gate are gone.
  void gate_up(const GatePort& gate);
  // Its link broke: its sessions are kept for gate_grace, in which it may announce them again.
  void gate_down(const GatePortPtr& gate);
  void tick();

  // For the server API. Devices of an offline user: none, and last_active is 0 when it is not known.
  void presence(std::string_view app_id, std::string_view uid, client::Presence& out);
  // Tells the gates to close the user's sessions; they go once the gates have. device_type: only these;
  // absent: all. Returns how many; error kUnavailable: a gate cannot be told now.
  [[nodiscard]] Result<int> kick(std::string_view app_id, std::string_view uid,
                                 std::optional<std::uint32_t> device_type, std::string_view message);
  // Online users of the slot, by uid, above `after`, at most `limit`.
  void online(std::string_view app_id, Slot slot, std::string_view after, std::size_t limit,
              const std::function<void(const User&)>& visit) const;
  static void describe(const User& user, client::Presence& out);

  // Redis was emptied: every route is written again.
  void rewrite_routes();

  // Runs `then` once the user's tails and cursors are known, or with why they cannot be.
  void with_tails(User& user, std::function<void(const Status&)> then);
  void tails_finished(const TailsWork& work);

 private:
  void open(User& user, const Request& request, const client::AuthReq& auth, std::int64_t expires_ms);
  void answer_auth(User& user, Session& session, const ReplyTo& to);
  Session& add(User& user, Session session);
  // reason: of the logout event; static storage. Empty: it goes on, or is replaced by itself.
  void remove(User& user, Session& session, bool with_route, std::string_view reason);
  bool kick(Session& session, client::KickReason reason, std::string_view message);
  bool kick(const GatePortPtr& gate, std::uint64_t channel, client::KickReason reason,
            std::string_view message);
  // A later login took its place. Answers the reason for the logout event.
  std::string_view kick_older(const GatePortPtr& gate, std::uint64_t channel, bool same_device);
  void drop_lost_gates();
  void drop_expired();
  [[nodiscard]] std::uint64_t next_epoch(User& user, DeviceClass device_class, std::size_t shard);

  ThreadContext& context_;
  Cursors& cursors_;
  Pusher& pusher_;
  const auth::TokenVerifier& verifier_;
  RouteStore& routes_;

  struct Live {
    User* user;
    Session* session;
  };
  // Boot ids are random, so that boot id xor channel names one session.
  [[nodiscard]] static std::uint64_t name_of(const GatePort& gate, std::uint64_t channel) {
    return gate.boot_id() ^ channel;
  }
  std::unordered_map<std::uint64_t, Live> by_channel_;
  std::map<std::pair<std::int64_t, std::uint64_t>, Live> by_expiry_;  // expires_ms, number
  struct OnlineKey {
    Slot slot;
    std::string_view app_id;
    std::string_view uid;
    auto operator<=>(const OnlineKey&) const = default;
  };
  struct OnlineOrder {
    using is_transparent = void;
    static OnlineKey key(const User* user) { return {user->slot, user->key.app_id, user->key.uid}; }
    static OnlineKey key(const OnlineKey& key) { return key; }
    bool operator()(const auto& a, const auto& b) const { return key(a) < key(b); }
  };
  std::set<const User*, OnlineOrder> online_;  // users with sessions
  std::uint64_t next_number_ = 1;
  struct LostGate {
    GatePortPtr gate;
    SteadyTime until;
  };
  std::vector<LostGate> lost_gates_;
  client::AuthReq auth_;
};

}  // namespace hongyan::logic
