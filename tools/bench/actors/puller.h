// A device that reads the user's inbox from its beginning.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/actors/connection.h"
#include "tools/bench/measure/check.h"
#include "tools/bench/measure/histogram.h"
#include "tools/bench/measure/load.h"

namespace hongyan::bench {

// One page after the other until the inbox is read. Its loop only; must outlive the loop's last turn
// (Fleet::stop()).
class Puller {
 public:
  // What the inbox holds: of each sender the numbers 0 to messages - 1, with client_msg_ids that begin so.
  struct Sent {
    std::string id;
    std::uint32_t messages = 0;
  };
  struct Options {
    std::string uid;
    std::int64_t head = 0;  // inbox seq of the last message
    std::int32_t page = 200;
    std::vector<Sent> senders;
  };

  // content, shared: outlive the puller. connection: logged in.
  Puller(Options options, const Content& content, Shared& shared, std::shared_ptr<Connection> connection);

  void start();
  void close() { connection_->close(); }
  // Any thread.
  [[nodiscard]] bool done() const noexcept { return done_.load(std::memory_order_acquire); }

  [[nodiscard]] Faults faults() const noexcept;
  [[nodiscard]] std::uint64_t content_bytes() const noexcept { return content_bytes_; }
  [[nodiscard]] const Histogram& page_times() const noexcept { return page_times_; }

 private:
  void ask();
  void on_packet(const net::Packet& packet);
  void on_row(const client::PullMsg& row);

  const Options options_;
  Shared& shared_;
  const std::shared_ptr<Connection> connection_;
  std::vector<Check> checks_ = {};  // by sender
  std::int64_t held_ = 0;
  SteadyTime asked_at_;
  Faults faults_;
  std::uint64_t content_bytes_ = 0;
  Histogram page_times_;
  client::PullResp response_;  // reused, to spare allocations
  std::atomic<bool> done_{false};
};

}  // namespace hongyan::bench
