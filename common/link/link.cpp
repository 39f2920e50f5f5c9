#include "common/link/link.h"

#include <algorithm>

#include "common/log/log.h"
#include "proto/parse.h"

namespace hongyan::link {

namespace {

constexpr std::size_t kReadSize = 128 << 10;

std::string_view role_name(Role role) {
  switch (role) {
    case ROLE_GATE:
      return "gate";
    case ROLE_LOGIC:
      return "logic";
    case ROLE_IPLIST:
      return "iplist";
    default:
      return "unknown";
  }
}

}  // namespace

Link::Link(net::EventLoop& loop, net::TcpSocket socket, LinkHandler& handler, LinkOptions options,
           Proved proved)
    : loop_(loop),
      handler_(handler),
      options_(options),
      socket_(std::move(socket)),
      timer_(loop.executor()),
      peer_(std::move(proved.peer)),
      read_buffer_(std::move(proved.rest)),
      read_size_(read_buffer_.size()) {
  net::error_code ignored;
  socket_.set_option(net::Tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

bool Link::send(LinkCommand command, std::uint32_t seq, std::uint32_t slot,
                const google::protobuf::MessageLite& envelope, std::string_view payload) {
  const std::lock_guard lock(mutex_);
  if (!is_open() || pending_.size() > options_.max_pending_bytes) return false;
  append_frame(pending_, command, seq, slot, envelope, payload);
  if (!flush_posted_) {
    flush_posted_ = true;
    post_flush();
  }
  return true;
}

void Link::post_flush() {
  loop_.post([self = shared_from_this()] { self->flush(); });
}

void Link::close(std::string_view reason) {
  open_.store(false, std::memory_order_release);
  loop_.post([self = shared_from_this(), text = std::string(reason)] { self->close_in_loop(text); });
}

void Link::close_in_loop(const std::string& reason) {
  if (closed_) return;
  closed_ = true;
  close_reason_ = reason;
  open_.store(false, std::memory_order_release);
  net::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
}

void Link::flush() {
  if (waiting_writable_) return;  // goes on when the socket takes more
  for (;;) {
    if (written_ == writing_.size()) {
      writing_.clear();
      written_ = 0;
      if (writing_.capacity() > 4 * kReadSize) writing_.shrink_to_fit();
      const std::lock_guard lock(mutex_);
      std::swap(writing_, pending_);
      if (writing_.empty()) {
        flush_posted_ = false;
        return;
      }
    }
    if (closed_) return;
    net::error_code ec;
    written_ +=
        socket_.write_some(net::asio::buffer(writing_.data() + written_, writing_.size() - written_), ec);
    if (ec == net::asio::error::would_block || ec == net::asio::error::try_again) {
      waiting_writable_ = true;
      socket_.async_wait(net::TcpSocket::wait_write, [self = shared_from_this()](net::error_code wait_ec) {
        self->waiting_writable_ = false;
        if (!wait_ec) self->flush();
      });
      return;
    }
    if (ec) {
      close_in_loop(ec.message());
      return;
    }
  }
}

bool Link::split() {
  auto used = split_frames({read_buffer_.data(), read_size_}, packets_);
  if (!used) {
    close_in_loop("bad packet: " + used.error().message);
    return false;
  }
  packets_size_ = *used;
  return true;
}

net::Awaitable<bool> Link::read_packets(LinkPtr self) {
  self->packets_.clear();
  if (self->packets_size_ > 0) {
    self->read_buffer_.erase(0, self->packets_size_);
    self->read_size_ -= self->packets_size_;
    self->packets_size_ = 0;
  }
  if (self->read_size_ < kReadSize && self->read_buffer_.capacity() > 4 * kReadSize) {
    // A large packet has gone.
    self->read_buffer_.resize(self->read_size_ + kReadSize);
    self->read_buffer_.shrink_to_fit();
  }
  for (;;) {
    if (self->read_buffer_.size() < self->read_size_ + kReadSize) {
      self->read_buffer_.resize(self->read_size_ + kReadSize);
    }
    net::error_code ec;
    const std::size_t count = co_await self->socket_.async_read_some(
        net::asio::buffer(self->read_buffer_.data() + self->read_size_,
                          self->read_buffer_.size() - self->read_size_),
        net::await(ec));
    if (ec) {
      self->close_in_loop(ec.message());
      co_return false;
    }
    self->alive_ = true;
    self->read_size_ += count;
    if (!self->split()) co_return false;
    if (!self->packets_.empty()) co_return true;
  }
}

// Closes a link whose peer is silent, and pings it so that a live one is not.
net::Awaitable<> Link::watch(LinkPtr self) {
  int silent = 0;
  std::uint32_t number = 0;
  while (!self->closed_) {
    self->timer_.expires_after(self->options_.ping_interval);
    net::error_code ignored;
    co_await self->timer_.async_wait(net::await(ignored));
    if (self->closed_) break;
    silent = self->alive_ ? 0 : silent + 1;
    self->alive_ = false;
    if (silent >= self->options_.missed_pings) {
      self->close_in_loop("missed pings");
      break;
    }
    static_cast<void>(self->send(LINK_COMMAND_PING, ++number, 0, Proof()));
  }
}

void Link::handle_packets() {
  // Pings are answered here; handlers see the rest.
  const auto is_ping = [this](const LinkPacket& packet) {
    if (packet.command == LINK_COMMAND_PING) {
      static_cast<void>(send(LINK_COMMAND_PONG, packet.seq, 0, Proof()));
      return true;
    }
    return packet.command == LINK_COMMAND_PONG;
  };
  std::erase_if(packets_, is_ping);
  if (!packets_.empty()) handler_.on_link_packets(shared_from_this(), packets_);
}

net::Awaitable<> Link::run(LinkPtr self) {
  if (self->closed_) co_return;
  self->open_.store(true, std::memory_order_release);
  self->loop_.spawn("link watch", watch(self));
  log::info("link", "up peer={} role={} node={} worker={}", self->peer_.address, role_name(self->peer_.role),
            log::quoted(self->peer_.node_id), self->peer_.worker);
  self->handler_.on_link_up(self);
  if (self->split()) self->handle_packets();  // what came right behind the proof
  while (!self->closed_ && co_await read_packets(self)) self->handle_packets();
  self->close_in_loop("ended");
  log::info("link", "down peer={} role={} node={} reason={}", self->peer_.address,
            role_name(self->peer_.role), log::quoted(self->peer_.node_id), log::quoted(self->close_reason_));
  self->handler_.on_link_down(self);
}

}  // namespace hongyan::link
