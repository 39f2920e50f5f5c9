// How long an answer may take, and how many messages to ask for at once, on a link whose speed nobody tells.
#pragma once

#include <cstdint>
#include <deque>

#include "client/cpp/types.h"

namespace hongyan::client {

// Time-outs are meant for servers that do not answer, not for links that are slow. So what goes out before an
// answer can be given, and what comes in while it is awaited, buys the time that the slowest link worth
// keeping needs for it. Whatever comes is a sign of life, be it a part of a packet.
//
// Pure; lives in ClientCore, on its thread.
class Pace {
 public:
  static constexpr std::int64_t kSlowestBytes = 2'000;  // a second: 20 kbit/s with their overhead
  // What comes in buys at most so many time-outs: the answer may be lost, and the link just busy.
  static constexpr int kMostTimeouts = 16;

  explicit Pace(Milliseconds timeout) noexcept : timeout_(timeout) {}

  // What is known of a request when it is written.
  struct Mark {
    SteadyTime at;
    std::int64_t ahead = 0;     // bytes that go out before it is there, its own included
    std::int64_t received = 0;  // bytes that had come
  };
  // A request is written; it needs an answer. seq: grows.
  Mark wrote(std::uint32_t seq, std::size_t body_bytes, SteadyTime now);
  // Something answers it: it has been carried, and all that was written before.
  void answered(std::uint32_t seq) noexcept;
  void received(std::size_t bytes) noexcept { received_ += static_cast<std::int64_t>(bytes); }
  // Another connection.
  void reset() noexcept { unanswered_.clear(); }

  // When an answer is overdue, if nothing comes until then.
  [[nodiscard]] SteadyTime overdue_at(const Mark& mark) const noexcept;
  // For how long nothing at all may come while an answer is due.
  [[nodiscard]] Milliseconds silence() const noexcept;

 private:
  struct Request {
    std::uint32_t seq;
    std::int64_t bytes;
  };

  const Milliseconds timeout_;
  std::deque<Request> unanswered_;  // as written; not those before one that was answered
  std::int64_t received_ = 0;
};

// Pages of a pull grow as TCP's window does, to what the link brings in a fraction of the time-out, and
// shrink when one takes long or does not come at all: WebSocket shows nothing of a page before it is whole.
// What waits behind a page waits no longer than that.
//
// Pure; lives in Inbox, on its thread.
class PageSize {
 public:
  static constexpr std::int64_t kFirst = 10;  // the protocol's default
  static constexpr std::int64_t kStep = 4;
  static constexpr int kMostTimeouts = 8;

  PageSize(std::int64_t most, Milliseconds timeout) noexcept;

  [[nodiscard]] std::int32_t limit() const noexcept { return static_cast<std::int32_t>(limit_); }
  // How long to wait for a page of which nothing is seen.
  [[nodiscard]] Milliseconds patience() const noexcept { return patience_; }

  void came(std::int64_t rows, Milliseconds took) noexcept;
  void did_not_come() noexcept;

 private:
  const std::int64_t most_;
  const Milliseconds timeout_;
  std::int64_t limit_;
  Milliseconds patience_;
};

}  // namespace hongyan::client
