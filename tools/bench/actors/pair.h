// A sender and a receiver.
#pragma once

#include <memory>
#include <string>

#include "tools/bench/actors/receiver.h"
#include "tools/bench/actors/sender.h"
#include "tools/bench/actors/users.h"

namespace hongyan::bench {

// One user sends to another; every message is checked. Its loop only; must outlive the loop's last turn
// (Fleet::stop()).
class Pair {
 public:
  struct Options {
    std::string id;  // begins every client_msg_id, ends in "-"; no other pair has it
    std::string sender;
    std::string receiver;
    std::size_t window = 1;  // messages under way
  };

  // content, worker, shared: outlive the pair. Both users are logged in.
  Pair(Options options, const Content& content, Worker& worker, Shared& shared, User sender, User receiver);

  // schedule: none for a closed loop.
  void start(std::optional<Schedule> schedule);
  void close();
  void send(SteadyTime now) { sender_.send(now); }

  [[nodiscard]] Faults faults() const noexcept;
  [[nodiscard]] const Check& check() const noexcept { return check_; }
  [[nodiscard]] const Window& window() const noexcept { return sender_.window(); }
  [[nodiscard]] const Receiver& receiver() const noexcept { return receiver_; }

 private:
  const client::C2CSendReq& compose(std::uint32_t number);
  void on_delivery(const Delivery& delivery, SteadyTime now);

  const std::string id_;
  const Content& content_;
  Check check_;
  client::C2CSendReq request_;  // reused, to spare allocations
  Sender sender_;
  Receiver receiver_;
};

}  // namespace hongyan::bench
