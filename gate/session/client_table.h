// Who is connected to one loop of the gate.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/bimap.hpp>
#include <boost/bimap/unordered_set_of.hpp>

#include "common/base/clock.h"
#include "common/base/device_class.h"
#include "common/base/slot.h"
#include "gate/session/due_wheel.h"

namespace hongyan::gate {

class Session;

// One connection, as the rest of the cluster knows it.
struct Client : DueNode {
  std::uint64_t channel = 0;
  Session* session = nullptr;  // null in tests of the table

  // From the last AUTH; of the session's user once logged_in.
  std::string app_id;
  std::string uid;
  std::string device_id;
  std::uint32_t device_type = 0;
  DeviceClass device_class = DeviceClass::kUnknown;
  Slot slot = 0;
  bool logged_in = false;
  bool alive_unreported = false;  // packets came since the owner was last told
  std::uint64_t login_epoch = 0;
  std::int64_t expires_ms = 0;  // the token; its owner closes the session then
  std::int64_t acked_inbox_seq = 0;

  SteadyTime accepted_at;
  SteadyTime last_packet;    // the last keepalive or other packet
  SteadyTime last_reported;  // to the owner, as alive
};

// The clients of one loop; owns them. Found by channel, by (app, uid, device class) once logged in, and when it
// is time to look at them. Pure: no clock, no I/O. One thread.
class ClientTable {
 public:
  // loop: its number, in the channel's high 16 bits, so that a channel names its loop; unique while the
  // process lives.
  ClientTable(std::uint32_t loop, SteadyTime now)
      : next_channel_((std::uint64_t{loop} << 48) + 1), due_(now) {}

  Client& add(SteadyTime accepted_at);
  // References to the client end.
  void remove(std::uint64_t channel);

  [[nodiscard]] Client* find(std::uint64_t channel) noexcept;
  [[nodiscard]] Client* find(std::string_view app_id, std::string_view uid,
                             DeviceClass device_class) noexcept;

  // The client has logged in with this epoch: it can be found by its user. Of two clients of one (user,
  // device class) the one with the higher epoch stays; the other, no longer logged in, is returned: close it.
  // Null: there was no other.
  [[nodiscard]] Client* log_in(Client& client, std::uint64_t login_epoch);
  // No longer found by its user. Harmless when not logged in.
  void log_out(Client& client);

  // look() is to be called with it then, once; each call replaces what was said before.
  void look_at(Client& client, SteadyTime due) noexcept { due_.set(client, due); }
  // The same, unless that is sooner anyway.
  void look_no_later(Client& client, SteadyTime due) noexcept { due_.set_no_later(client, due); }
  // Those whose time has come; at most `most`, the others the next time. `visit` may remove any.
  template <typename Visit>
  void look(SteadyTime now, std::size_t most, Visit visit) {
    due_.run(now, most, [&visit](DueNode& node) { visit(static_cast<Client&>(node)); });
  }
  // All of them, at once. `visit` removes none.
  template <typename Visit>
  void for_each(Visit visit) {
    for (auto& client : order_) visit(*client);
  }

  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
  [[nodiscard]] std::size_t logged_in() const noexcept { return users_.size(); }

 private:
  using Users = boost::bimap<boost::bimaps::unordered_set_of<std::string>,
                             boost::bimaps::unordered_set_of<std::uint64_t>>;
  [[nodiscard]] static std::string user_key(std::string_view app_id, std::string_view uid,
                                            DeviceClass device_class);

  std::uint64_t next_channel_;
  std::vector<std::unique_ptr<Client>> order_;               // a removed one's place is filled by the last
  std::unordered_map<std::uint64_t, std::size_t> channels_;  // place in order_
  Users users_;                                              // (app, uid, device class) <-> channel
  DueWheel due_;
};

}  // namespace hongyan::gate
