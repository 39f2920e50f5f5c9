// Packets on their way out, each in a frame of its own.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "common/net/stream.h"

namespace hongyan::gate {

// Takes a stream of packets as Transport::write_now() gets it and writes it with a frame head before each
// packet; control frames go between two frames. Lives with its transport.
class WsOutput {
 public:
  struct Written {
    std::size_t bytes = 0;  // of packets
    bool failed = false;
  };
  // Until all is written or the stream blocks. Without buffers: what is left of frames and control frames.
  [[nodiscard]] Written write(net::Stream& stream, std::span<const net::asio::const_buffer> packets);

  // Sent before the next packet. At most the latest of one kind waits: a later pong replaces an earlier one.
  void set_ping(std::string frame) { ping_ = std::move(frame); }
  void set_pong(std::string frame) { pong_ = std::move(frame); }
  void set_close(std::string frame) { close_ = std::move(frame); }

 private:
  struct Batch;
  void insert_control();
  void build(Batch& batch, std::span<const net::asio::const_buffer> packets, std::size_t skip);
  // Returns how many of the bytes were of packets.
  std::size_t account(const Batch& batch, std::size_t bytes);

  std::string head_;             // begins the next write: the rest of a frame head, or control frames
  std::size_t packet_left_ = 0;  // of the packet that is being written
  bool blocked_ = false;         // the stream wants the same bytes again
  std::string ping_;
  std::string pong_;
  std::string close_;
};

}  // namespace hongyan::gate
