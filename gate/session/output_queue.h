// What waits to be written to one client.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/asio.h"

namespace hongyan::gate {

// A body that many sessions are about to send.
using SharedBody = std::shared_ptr<const std::string>;

// Packets in order. Headers and bodies of the session's own are kept in one string; bodies shared by many
// sessions are only referred to. Knows no limit: the session asks bytes(). One thread.
class OutputQueue {
 public:
  // suffix: the end of the body, short.
  void append(std::uint32_t version, std::uint32_t cmd_id, std::uint32_t seq, std::string_view body,
              std::string_view suffix = {});
  void append_shared(std::uint32_t version, std::uint32_t cmd_id, std::uint32_t seq, SharedBody body,
                     std::string_view suffix = {});

  [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
  // Not yet consumed.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  // Appends what is queued to `out`, in order. Valid until the queue is changed.
  void gather(std::vector<net::asio::const_buffer>& out) const;
  // The first `count` bytes were written.
  void consume(std::size_t count);
  void clear();

 private:
  friend class OutputPool;
  void append_header(std::uint32_t version, std::uint32_t cmd_id, std::uint32_t seq, std::size_t body_size);
  struct Shared {
    std::size_t at;  // its place: before text_[at]
    SharedBody body;
  };
  std::string text_;
  std::vector<Shared> shared_;
  std::size_t bytes_ = 0;
  std::size_t consumed_ = 0;  // of the whole, since it was last empty
};

using OutputQueuePtr = std::unique_ptr<OutputQueue>;

// Empty queues with their memory, lent to the sessions that have something to send. One a loop.
class OutputPool {
 public:
  [[nodiscard]] OutputQueuePtr take();
  void give_back(OutputQueuePtr queue);

 private:
  static constexpr std::size_t kMost = 256;           // queues kept
  static constexpr std::size_t kMostText = 32 << 10;  // memory a kept queue may hold
  std::vector<OutputQueuePtr> spare_;
};

}  // namespace hongyan::gate
