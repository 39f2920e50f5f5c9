// A long-lived TCP connection between two daemons: many packets in flight both ways.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/link/frame.h"
#include "common/link/handshake.h"
#include "common/net/event_loop.h"

namespace hongyan::link {

struct LinkOptions {
  std::size_t max_pending_bytes = 64 << 20;  // queued to be written; past it send() refuses
  Milliseconds ping_interval{1000};
  int missed_pings = 3;  // closed after so many intervals without a byte from the peer
};

class Link;
using LinkPtr = std::shared_ptr<Link>;

// Told what happens on links. All calls come on the link's own loop. Outlives its links.
class LinkHandler {
 public:
  virtual ~LinkHandler() = default;
  // The peer has proved itself, and the link can send.
  virtual void on_link_up(const LinkPtr& link) = 0;
  // All packets of one read, in order; the views are valid during the call.
  virtual void on_link_packets(const LinkPtr& link, std::span<const LinkPacket> packets) = 0;
  // Once, after on_link_up: nothing more comes, and what was sent may or may not have arrived.
  virtual void on_link_down(const LinkPtr& link) = 0;
};

// Created by LinkClient and LinkServer, for a peer that has proved itself. Lives on one loop, which reads and
// writes; send(), is_open() and close() may be called by any thread. Packets sent by one thread arrive in
// order. What is sent during one turn of the loop leaves in one write.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(net::EventLoop& loop, net::TcpSocket socket, LinkHandler& handler, LinkOptions options, Proved proved);

  // False: closed, or max_pending_bytes are waiting (the packet is dropped whole). Any thread.
  [[nodiscard]] bool send(LinkCommand command, std::uint32_t seq, std::uint32_t slot,
                          const google::protobuf::MessageLite& envelope, std::string_view payload = {});

  [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }
  // Any thread. on_link_down follows.
  void close(std::string_view reason);

  [[nodiscard]] const PeerInfo& peer() const noexcept { return peer_; }
  [[nodiscard]] net::EventLoop& loop() noexcept { return loop_; }

  // Serves the link until it ends.
  [[nodiscard]] static net::Awaitable<> run(LinkPtr self);

 private:
  [[nodiscard]] static net::Awaitable<> watch(LinkPtr self);
  // Reads until at least one packet is there; false: the connection ended.
  [[nodiscard]] static net::Awaitable<bool> read_packets(LinkPtr self);
  // False: the stream cannot go on.
  [[nodiscard]] bool split();
  void flush();
  void close_in_loop(const std::string& reason);
  void post_flush();
  void handle_packets();

  net::EventLoop& loop_;
  LinkHandler& handler_;
  const LinkOptions options_;

  std::atomic<bool> open_{false};

  // Guarded by mutex_, which is held for copies only, never during I/O.
  std::mutex mutex_;
  std::string pending_;
  bool flush_posted_ = false;

  // Loop only.
  net::TcpSocket socket_;
  net::Timer timer_;
  const PeerInfo peer_;
  std::string read_buffer_;
  std::size_t read_size_ = 0;     // bytes of read_buffer_ that hold data
  std::size_t packets_size_ = 0;  // bytes of read_buffer_ taken by packets_
  std::vector<LinkPacket> packets_;
  std::string writing_;
  std::size_t written_ = 0;
  bool waiting_writable_ = false;
  bool closed_ = false;
  bool alive_ = true;  // a byte came since the last ping
  std::string close_reason_;
};

}  // namespace hongyan::link
