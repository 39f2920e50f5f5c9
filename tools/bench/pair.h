// A sender and a receiver with a window between them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/net/event_loop.h"
#include "proto/client.pb.h"
#include "tools/bench/connection.h"
#include "tools/bench/histogram.h"

namespace hongyan::bench {

enum class Phase : int { kWarmUp, kMeasure, kDrain };

// What all pairs share, and main's thread looks at.
struct Shared {
  std::atomic<Phase> phase{Phase::kWarmUp};
  std::atomic<std::uint64_t> finished{0};  // messages acknowledged and delivered, warm-up included
  std::atomic<std::uint64_t> refused{0};   // attempts answered with an error and sent again
  std::atomic<int> lost_connections{0};
  std::atomic<bool> broken{false};  // the run cannot go on; `why` was set before
  std::string why = {};
  std::atomic<bool> why_taken{false};

  void give_up(const std::string& reason);
};

struct PairTotals {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;         // acknowledged, never delivered
  std::uint64_t duplicates = 0;   // delivered under two inbox seqs
  std::uint64_t changed = 0;      // other bytes than were sent
  std::uint64_t redelivered = 0;  // pushed again under the same seq, which a client discards
  std::uint64_t pulls = 0;        // because of a hole or a SYNC_NOTIFY

  PairTotals& operator+=(const PairTotals& other) noexcept;
};

// A slot of the window is free again when its message has both the sender's acknowledgement and the
// receiver's delivery. Lives on its loop.
class Pair {
 public:
  struct Options {
    std::uint64_t run = 0;  // in every client_msg_id, so that runs do not meet
    int index = 0;
    int window = 1;
    std::size_t size = 100;  // bytes of content
    std::string sender;
    std::string receiver;
  };

  // loop, shared: outlive the pair. Both connections are logged in.
  Pair(Options options, net::EventLoop& loop, Shared& shared, std::shared_ptr<Connection> sender,
       std::shared_ptr<Connection> receiver);

  void start();
  void close();
  [[nodiscard]] bool idle() const noexcept { return in_flight_ == 0; }
  [[nodiscard]] PairTotals totals() const;
  [[nodiscard]] const Histogram& ack_times() const noexcept { return ack_times_; }
  [[nodiscard]] const Histogram& delivery_times() const noexcept { return delivery_times_; }

 private:
  struct Slot {
    std::uint32_t number = 0;
    bool busy = false;
    bool acknowledged = false;
    bool delivered = false;
    SteadyTime sent_at;
  };

  void send_new(Slot& slot);
  void transmit(std::uint32_t number);
  void retry_later(std::uint32_t number, std::uint32_t retry_after_ms);
  void on_sender_packet(const net::Packet& packet);
  void on_receiver_packet(const net::Packet& packet);
  void on_acknowledged(std::uint32_t number);
  void on_delivery(std::int64_t seq, const std::string& content, const std::string& client_msg_id);
  void on_pull_response(const net::Packet& packet);
  void pull();
  void finish_if_done(Slot& slot);
  void end_of_batch();
  [[nodiscard]] Slot* find(std::uint32_t number) noexcept;
  [[nodiscard]] bool measuring() const noexcept;

  const Options options_;
  net::EventLoop& loop_;
  Shared& shared_;
  const std::shared_ptr<Connection> sender_;
  const std::shared_ptr<Connection> receiver_;

  std::vector<Slot> slots_ = {};
  int in_flight_ = 0;
  std::uint32_t next_number_ = 0;
  std::vector<bool> acknowledged_ = {};  // by number
  std::vector<bool> delivered_ = {};
  std::int64_t held_ = 0;      // the receiver's inbox
  std::int64_t ack_owed_ = 0;  // msg_id of the last push taken; 0: none
  bool pulling_ = false;
  PairTotals totals_;
  Histogram ack_times_;
  Histogram delivery_times_;

  // Reused, to spare allocations.
  client::C2CSendReq request_;
  client::C2CSendResp response_;
  client::C2CPush push_;
  client::PushAck ack_;
};

}  // namespace hongyan::bench
