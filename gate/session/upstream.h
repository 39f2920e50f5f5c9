// What a session asks of the rest of the gate.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "gate/session/client_table.h"

namespace hongyan::gate {

using SessionPtr = std::shared_ptr<Session>;

// The owners of users, as a session sees them. Outlives the sessions; all calls on their loop.
class Upstream {
 public:
  virtual ~Upstream() = default;
  // A request of the client, to be answered through its session. Error kUnavailable: too much is held.
  [[nodiscard]] virtual Status submit(const Client& client, std::uint32_t cmd_id, std::uint32_t client_seq,
                                      std::string_view body, SteadyTime now) = 0;
  // An acknowledgement: no answer comes, and without an owner it is dropped (announcements carry what
  // counts).
  virtual void ack(const Client& client, std::uint32_t cmd_id, std::string_view body) = 0;
  // The client of a login that its owner asked to be told of is there.
  virtual void confirm_login(Client& client, SteadyTime now) = 0;
  // Something came of a client of which nothing had come since its owner last heard that it lives.
  virtual void came_alive(Client& client) = 0;
  // A session has ended that was logged in, or may be by now.
  virtual void session_closed(const Client& client) = 0;
};

// The event loop that sessions live on. Outlives them; all calls there.
class SessionLoop {
 public:
  virtual ~SessionLoop() = default;
  // It did not run for long: what is read now may be of clients that have given up.
  [[nodiscard]] virtual bool stood_still(SteadyTime now) const = 0;
  // flush() at the end of this turn.
  virtual void flush_later(SessionPtr session) = 0;
  // end() after SessionOptions::kLinger.
  virtual void end_later(SessionPtr session) = 0;
};

}  // namespace hongyan::gate
