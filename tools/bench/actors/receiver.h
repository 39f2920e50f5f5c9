// A connection that takes pushes as a client does: in order, acknowledged, with pulls over holes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tools/bench/actors/connection.h"
#include "tools/bench/measure/check.h"
#include "tools/bench/measure/load.h"

namespace hongyan::bench {

// A stored message as the receiver got it, by push or by pull. Valid during the call.
struct Delivery {
  std::string_view content;
  std::string_view client_msg_id;
};

// Takes C2C_PUSH and S2C. Its loop only; must outlive the loop's last turn (Fleet::stop()).
class Receiver {
 public:
  // Called once for each inbox seq, in order.
  using OnDelivery = std::function<void(const Delivery& delivery, SteadyTime now)>;

  // shared: outlives the receiver. connection: logged in. held: inbox seq at the login.
  Receiver(std::string uid, std::int64_t held, Shared& shared, std::shared_ptr<Connection> connection,
           OnDelivery on_delivery)
      : uid_(std::move(uid)),
        shared_(shared),
        connection_(std::move(connection)),
        on_delivery_(std::move(on_delivery)),
        held_(held) {}

  void start();
  void close() { connection_->close(); }

  // Pushed again under a seq that was held, which a client discards.
  [[nodiscard]] std::uint64_t redelivered() const noexcept { return redelivered_; }
  // Because of a hole or a SYNC_NOTIFY.
  [[nodiscard]] std::uint64_t pulls() const noexcept { return pulls_; }
  // Inbox seqs that the server's pages skipped.
  [[nodiscard]] std::uint64_t holes() const noexcept { return holes_; }

 private:
  template <typename Push>
  void on_push(Push& push, const net::Packet& packet);
  void on_packet(const net::Packet& packet);
  void on_row(std::int64_t seq, const Delivery& delivery);
  void on_pull_response(const net::Packet& packet);
  void pull();
  void acknowledge();

  const std::string uid_;
  Shared& shared_;
  const std::shared_ptr<Connection> connection_;
  const OnDelivery on_delivery_;
  std::int64_t held_;
  std::int64_t ack_owed_ = 0;  // msg_id of the last push taken; 0: none
  client::Command ack_command_ = client::COMMAND_C2C_PUSH;
  bool pulling_ = false;
  std::uint64_t redelivered_ = 0;
  std::uint64_t pulls_ = 0;
  std::uint64_t holes_ = 0;

  // Reused, to spare allocations.
  client::C2CPush push_;
  client::S2CPush server_push_;
  client::PushAck ack_;
};

}  // namespace hongyan::bench
