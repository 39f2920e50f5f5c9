// What a session takes of what its client sends, and when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "common/base/token_bucket.h"
#include "common/net/packet.h"
#include "gate/session/session_options.h"

namespace hongyan::gate {

// Splits the bytes of one client into packets, gives them out no faster than the client may send requests,
// and counts the unanswered ones, past which its session reads no more. Until the client has logged in, the
// limits are small ones. Pure: no I/O, the clock is the caller's. One thread. The options outlive it.
//
//   intake.feed(bytes, now);
//   while (packet = intake.next()) …
//   while (pause = intake.pause()) wait, then feed(intake.take_held())
class Intake {
 public:
  Intake(const SessionOptions& options, SteadyTime now) noexcept;

  // `bytes` stay valid until next() gives nothing.
  void feed(std::string_view bytes, SteadyTime now);
  // Valid until the following call. Null: nothing more can be taken now; what is left is kept here, or held.
  // After an error the stream cannot go on.
  [[nodiscard]] std::expected<const net::Packet*, net::PacketError> next();
  // When feed() was last called.
  [[nodiscard]] SteadyTime now() const noexcept { return now_; }
  // Larger bodies and more packets are taken from now on.
  void logged_in() noexcept;
  // Until release() next() gives nothing, and what is fed waits.
  void hold_back() noexcept { held_back_ = true; }
  void release() noexcept { held_back_ = false; }
  [[nodiscard]] bool holds_back() const noexcept { return held_back_; }

  // How long no request may be taken, at most kLongestPause; 0: go on.
  [[nodiscard]] Milliseconds pause(SteadyTime now);
  // Read already, and not taken because requests came too fast or are held back: to be fed again, before
  // anything else.
  [[nodiscard]] bool holds() const noexcept { return !held_.empty(); }
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_.size(); }
  [[nodiscard]] std::string take_held() noexcept;

  // Counts a packet with such a body. False: packets or bytes come too fast; wait_ms() says for how long.
  [[nodiscard]] bool within_rate(std::size_t body_bytes) noexcept;
  [[nodiscard]] std::uint32_t wait_ms() const noexcept;
  // For each packet that was not within the rate: they have been too many, or for too long, with less than a
  // second between them.
  [[nodiscard]] bool excessive() noexcept;

  // A request is given away; its answer has come, or nobody took it.
  void request_began(std::size_t body_bytes) noexcept;
  void request_done(std::size_t body_bytes) noexcept;
  // Of what is under way nothing is waited for.
  void expect_no_answers() noexcept { in_flight_ = 0; }
  [[nodiscard]] std::uint32_t in_flight() const noexcept { return in_flight_; }
  // So much is unanswered that nothing more is to be read.
  [[nodiscard]] bool full() const noexcept;

  // Of a client that is too fast. What it sends in the meantime is stored together: many small steps would
  // cost the servers more than few.
  static constexpr Milliseconds kShortestPause{10};
  static constexpr Milliseconds kLongestPause{100};

 private:
  const SessionOptions& options_;
  net::PacketDecoder decoder_;
  std::string held_;
  TokenBucket requests_;
  TokenBucket packets_;
  TokenBucket bytes_;
  SteadyTime now_;
  double packets_per_second_;
  SteadyTime excess_since_{};
  SteadyTime excess_last_{};
  std::uint32_t excess_packets_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::uint32_t in_flight_ = 0;
  bool held_back_ = false;
};

}  // namespace hongyan::gate
