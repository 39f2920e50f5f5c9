// A user that uploads.
#pragma once

#include <memory>
#include <string>

#include "tools/bench/actors/sender.h"

namespace hongyan::bench {

// Its loop only; must outlive the loop's last turn (Fleet::stop()).
class Uploader {
 public:
  struct Options {
    std::string id;  // begins every client_msg_id, ends in "-"; no other uploader has it
    std::string destination;
    std::size_t window = 1;  // messages under way
  };

  // content, worker, shared: outlive the uploader. connection: logged in.
  Uploader(Options options, const Content& content, Worker& worker, Shared& shared,
           std::shared_ptr<Connection> connection);

  // schedule: none for a closed loop.
  void start(std::optional<Schedule> schedule) { sender_.start(schedule); }
  void send(SteadyTime now) { sender_.send(now); }
  void close() { sender_.close(); }

  [[nodiscard]] const Check& check() const noexcept { return check_; }
  [[nodiscard]] const Window& window() const noexcept { return sender_.window(); }

 private:
  const client::C2SReq& compose(std::uint32_t number);

  const std::string id_;
  const Content& content_;
  Check check_;
  client::C2SReq request_;  // reused, to spare allocations
  Sender sender_;
};

}  // namespace hongyan::bench
