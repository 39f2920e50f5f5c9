// Logins of one slot thread's users: tokens, login epochs, kickout, what gates announce.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "logic/auth/token.h"
#include "logic/message/context.h"
#include "logic/message/push.h"
#include "logic/message/request.h"
#include "logic/session/route_store.h"
#include "proto/client.pb.h"
#include "proto/link.pb.h"

namespace hongyan::logic {

// One thread. The higher login epoch wins everywhere: of two sessions of one (user, device class) the older
// one is kicked, whichever is heard of first.
class Sessions {
 public:
  Sessions(ThreadContext& context, Pusher& pusher, const TokenVerifier& verifier, RouteStore& routes)
      : context_(context), pusher_(pusher), verifier_(verifier), routes_(routes) {}

  void auth(const Request& request);
  void logout(const Request& request);

  // A gate tells of a session: anew after its link or the slot's owner changed, or that it is alive.
  void announced(const GatePortPtr& gate, const link::Session& session, Slot slot);
  void alive(const GatePort& gate, const link::Session& session);
  // reason: of the logout event.
  void closed(const GatePort& gate, std::uint64_t channel, std::string_view reason = "connection_lost");

  // A gate's worker linked up: sessions of an earlier boot of that gate are gone.
  void gate_up(const GatePort& gate);
  // Its link broke: its sessions are kept for gate_grace, in which it may announce them again.
  void gate_down(const GatePortPtr& gate);
  void tick();

  // Redis was emptied: every route is written again.
  void rewrite_routes();

  // Runs `then` once the user's tails are known, or with why they cannot be.
  void with_tails(User& user, std::function<void(const Status&)> then);
  void tails_finished(const TailsWork& work);

 private:
  void open(User& user, const Request& request, const client::AuthReq& auth);
  void answer_auth(User& user, Session& session, const ReplyTo& to);
  Session& add(User& user, Session session);
  // reason: of the logout event; static storage. Empty: it goes on, or is replaced by itself.
  void remove(User& user, Session& session, bool with_route, std::string_view reason);
  void kick(Session& session, client::KickReason reason, std::string_view message);
  [[nodiscard]] std::uint64_t next_epoch(User& user, DeviceClass device_class, std::size_t shard);

  ThreadContext& context_;
  Pusher& pusher_;
  const TokenVerifier& verifier_;
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
  std::uint64_t next_number_ = 1;
  struct LostGate {
    GatePortPtr gate;
    SteadyTime until;
  };
  std::vector<LostGate> lost_gates_;
  client::AuthReq auth_;
};

}  // namespace hongyan::logic
