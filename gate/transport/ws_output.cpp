#include "gate/transport/ws_output.h"

#include <algorithm>
#include <array>

#include "common/base/assert.h"
#include "common/net/packet.h"
#include "gate/transport/ws_frame.h"

namespace hongyan::gate {

namespace {
using Buffer = net::asio::const_buffer;
constexpr std::size_t kMostParts = net::Stream::kMostBuffers;
}  // namespace

// One call of the stream.
struct WsOutput::Batch {
  struct Part {
    Buffer bytes;
    std::size_t packet = 0;  // a frame head: size of the packet behind it
    bool payload = false;
  };
  std::array<Part, kMostParts> parts;
  std::array<char, kMostParts * kMostWsHead> heads;
  std::size_t count = 0;
  std::size_t offered = 0;

  [[nodiscard]] bool full() const noexcept { return count == kMostParts; }
  void add(Part part) noexcept {
    offered += part.bytes.size();
    parts[count++] = part;
  }
};

WsOutput::Written WsOutput::write(net::Stream& stream, std::span<const Buffer> packets) {
  Written written;
  for (;;) {
    insert_control();
    Batch batch;
    build(batch, packets, written.bytes);
    if (batch.count == 0) return written;
    std::array<Buffer, kMostParts> buffers;
    for (std::size_t i = 0; i < batch.count; ++i) buffers[i] = batch.parts[i].bytes;
    const auto io = stream.write_some(std::span(buffers).first(batch.count));
    blocked_ = io.outcome == net::StreamIo::Outcome::kBlocked;
    if (blocked_) return written;
    written.failed = io.outcome != net::StreamIo::Outcome::kDone;
    if (written.failed) return written;
    written.bytes += account(batch, io.bytes);
  }
}

void WsOutput::insert_control() {
  if (blocked_ || packet_left_ > 0) return;
  head_ += std::exchange(ping_, {});
  head_ += std::exchange(pong_, {});
  head_ += std::exchange(close_, {});
}

void WsOutput::build(Batch& batch, std::span<const Buffer> packets, std::size_t skip) {
  if (!head_.empty()) batch.add({.bytes = net::asio::buffer(head_)});
  std::size_t left = packet_left_;
  char* head = batch.heads.data();
  for (Buffer buffer : packets) {
    const std::size_t skipped = std::min(skip, buffer.size());
    skip -= skipped;
    buffer += skipped;
    while (buffer.size() > 0) {
      if (batch.count + 2 > kMostParts) return;
      if (left == 0) {
        HONGYAN_ASSERT(buffer.size() >= net::kHeaderSize);
        const auto header = net::read_header(static_cast<const char*>(buffer.data()));
        left = std::size_t{header.header_length} + header.body_length;
        const std::size_t size = write_ws_head(WsOpcode::kBinary, left, head);
        batch.add({.bytes = {head, size}, .packet = left});
        head += size;
      }
      const std::size_t bytes = std::min(left, buffer.size());
      batch.add({.bytes = {buffer.data(), bytes}, .payload = true});
      buffer += bytes;
      left -= bytes;
    }
  }
}

std::size_t WsOutput::account(const Batch& batch, std::size_t bytes) {
  std::size_t of_packets = 0;
  for (std::size_t i = 0; i < batch.count && bytes > 0; ++i) {
    const auto& part = batch.parts[i];
    const std::size_t sent = std::min(bytes, part.bytes.size());
    bytes -= sent;
    if (part.payload) {
      packet_left_ -= sent;
      of_packets += sent;
    } else if (part.packet > 0) {
      packet_left_ = part.packet;
      head_.assign(static_cast<const char*>(part.bytes.data()) + sent, part.bytes.size() - sent);
    } else {
      head_.erase(0, sent);
    }
  }
  return of_packets;
}

}  // namespace hongyan::gate
