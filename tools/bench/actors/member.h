// A member of a group, on a bare connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tools/bench/actors/connection.h"
#include "tools/bench/actors/crowd.h"

namespace hongyan::bench {

// Takes what comes to it as a client does: in the order of the inbox, or in a large group in the group's
// order, acknowledged, with pulls over holes. Its loop only; must outlive the loop's last turn
// (Fleet::stop()).
class Member {
 public:
  struct Options {
    std::size_t number = 0;  // in its group
    std::string uid = {};
    std::int64_t held = 0;  // inbox seq at the login
  };

  // crowd: outlives the member. sender: null when it only listens.
  Member(Options options, Crowd& crowd, std::shared_ptr<Connection> connection, Sender* sender)
      : number_(options.number),
        uid_(std::move(options.uid)),
        crowd_(crowd),
        connection_(std::move(connection)),
        sender_(sender),
        held_(options.held) {}

  // Before start(): pulls what is there, as a client does after its login.
  [[nodiscard]] net::Awaitable<Status> catch_up();
  void start();
  void close() { connection_->close(); }

  // Pushed again under a number that was held, which a client discards.
  [[nodiscard]] std::uint64_t redelivered() const noexcept { return redelivered_; }
  [[nodiscard]] std::uint64_t pulls() const noexcept { return pulls_; }

 private:
  void on_packet(const net::Packet& packet);
  template <typename Push>
  void on_push(const net::Packet& packet);
  void on_pull_response(const net::Packet& packet);
  [[nodiscard]] client::PullReq pull_request() const;
  // True: there may be more.
  [[nodiscard]] bool take_page(const client::PullResp& response);
  void pull();
  void acknowledge();
  // True: this is next. held: of the inbox, or of the group.
  [[nodiscard]] bool advance(std::int64_t& held, std::int64_t seq);

  const std::size_t number_;
  const std::string uid_;
  Crowd& crowd_;
  const std::shared_ptr<Connection> connection_;
  Sender* const sender_;
  std::int64_t held_;
  std::int64_t group_held_ = -1;  // of a large group; -1: where it begins is not known yet
  std::int64_t ack_owed_ = 0;     // msg_id of the last push taken; 0: none
  client::Command ack_command_ = client::COMMAND_C2G_PUSH;
  bool pulling_ = false;
  bool pull_again_ = false;
  std::uint64_t redelivered_ = 0;
  std::uint64_t pulls_ = 0;
};

}  // namespace hongyan::bench
