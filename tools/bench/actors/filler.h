// A user that sends a number of messages to another, who is not online.
#pragma once

#include <memory>
#include <string>

#include "tools/bench/actors/sender.h"

namespace hongyan::bench {

// Its loop only; must outlive the loop's last turn (Fleet::stop()).
class Filler {
 public:
  struct Options {
    std::string id;  // begins every client_msg_id, ends in "-"; no other sender has it
    std::string from;
    std::string to;
    std::uint32_t messages = 0;
    std::size_t window = 1;
  };

  // content, worker, shared: outlive the filler. connection: logged in.
  Filler(const Options& options, const Content& content, Worker& worker, Shared& shared,
         std::shared_ptr<Connection> connection);

  void start() { sender_.start(std::nullopt); }
  void close() { sender_.close(); }
  // All are acknowledged.
  [[nodiscard]] bool done() const noexcept { return sender_.done(); }

 private:
  const client::C2CSendReq& compose(std::uint32_t number);

  const std::string id_;
  const Content& content_;
  Check check_;
  client::C2CSendReq request_;  // reused, to spare allocations
  Sender sender_;
};

}  // namespace hongyan::bench
