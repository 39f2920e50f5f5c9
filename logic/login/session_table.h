// The sessions of one slot thread's users: found by channel, by expiry, and by user in order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_map>

#include "logic/message/push_acks.h"
#include "logic/user/route_store.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// Keeps routes, pushes, counters and events in step with what it holds. Of a (user, device class) one session
// is present; those it has replaced stand behind it (Session::replaced) until they are removed, get no pushes
// meanwhile, and come back when it goes first. One thread.
class SessionTable {
 public:
  SessionTable(ThreadContext& context, PushAcks& acks, RouteStore& routes)
      : context_(context), acks_(acks), routes_(routes) {}

  struct Live {
    User* user = nullptr;
    Session* session = nullptr;
  };

  // Present from now on. A session of the same class that is present now stands behind it.
  Session& add(User& user, Session session);
  // with_route: the route in Redis goes, too. reason: of the logout event; static storage. Empty: no event,
  // it goes on or replaces itself.
  void remove(User& user, Session& session, bool with_route, std::string_view reason);

  // The user's slot leaves: its sessions are forgotten and go on elsewhere, so nobody hears of it.
  void forget(User& user);

  // Present or replaced. Null members: there is none.
  [[nodiscard]] Live find(const GatePort& gate, std::uint64_t channel) const;
  // The one whose token expires first, when it has by then.
  [[nodiscard]] Live expired(std::int64_t now_ms) const;
  // Online users of the slot, by uid, above `after`, at most `limit`.
  void online(std::string_view app_id, Slot slot, std::string_view after, std::size_t limit,
              const std::function<void(const User&)>& visit) const;

 private:
  void drop(const Session& session);
  void make_present(User& user, std::unique_ptr<Session> session);
  [[nodiscard]] std::unique_ptr<Session> take(User& user, const Session& session);

  // Boot ids are random, so that boot id xor channel names one session.
  [[nodiscard]] static std::uint64_t name_of(const GatePort& gate, std::uint64_t channel) {
    return gate.boot_id() ^ channel;
  }

  ThreadContext& context_;
  PushAcks& acks_;
  RouteStore& routes_;

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
};

}  // namespace hongyan::logic
