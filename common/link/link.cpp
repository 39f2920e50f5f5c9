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

Link::Link(net::EventLoop& loop, net::TcpSocket socket, const Identity& identity, LinkHandler& handler,
           LinkOptions options)
    : loop_(loop),
      identity_(identity),
      handler_(handler),
      options_(options),
      socket_(std::move(socket)),
      timer_(loop.executor()) {
  net::error_code ignored;
  socket_.set_option(net::Tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  const auto remote = socket_.remote_endpoint(ignored);
  peer_.address = remote.address().to_string() + ":" + std::to_string(remote.port());
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

net::Awaitable<bool> Link::read_packets(LinkPtr self) {
  self->packets_.clear();
  if (self->packets_size_ > 0) {
    self->read_buffer_.erase(0, self->packets_size_);
    self->read_size_ -= self->packets_size_;
    self->packets_size_ = 0;
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
    auto used = split_frames({self->read_buffer_.data(), self->read_size_}, self->packets_);
    if (!used) {
      self->close_in_loop("bad packet: " + used.error().message);
      co_return false;
    }
    self->packets_size_ = *used;
    if (!self->packets_.empty()) co_return true;
  }
}

net::Awaitable<Status> Link::shake_hands(LinkPtr self, Side side, std::uint32_t worker) {
  const Hello mine = make_hello(self->identity_, worker);
  const auto send_now = [](LinkPtr link, LinkCommand command, const google::protobuf::MessageLite& message) {
    {
      const std::lock_guard lock(link->mutex_);
      append_frame(link->pending_, command, 0, 0, message, {});
      link->flush_posted_ = true;
    }
    link->flush();
  };
  send_now(self, LINK_COMMAND_HELLO, mine);

  // One packet at a time: the peer sends the next only after ours.
  if (!co_await read_packets(self)) co_return fail(Code::kUnavailable, self->close_reason_);
  Hello theirs;
  const auto hello_packet = self->packets_.front();
  if (hello_packet.command != LINK_COMMAND_HELLO || self->packets_.size() > 2 ||
      !parse(theirs, hello_packet.envelope)) {
    co_return fail(Code::kBadRequest, "no hello");
  }
  if (auto ok = check_hello(theirs); !ok) co_return std::unexpected(ok.error());
  const Hello& client = side == Side::kClient ? mine : theirs;
  const Hello& server = side == Side::kClient ? theirs : mine;

  Proof proof;
  if (side == Side::kClient) {
    proof.set_mac(make_proof(self->identity_.secret, side, client, server));
    send_now(self, LINK_COMMAND_PROOF, proof);
  }
  LinkPacket proof_packet;
  std::size_t taken = 0;
  if (self->packets_.size() == 2) {
    proof_packet = self->packets_[1];
    taken = 2;
  } else {
    if (!co_await read_packets(self)) co_return fail(Code::kUnauthenticated, "closed instead of a proof");
    proof_packet = self->packets_.front();
    taken = 1;
  }
  Proof their_proof;
  const Side other = side == Side::kClient ? Side::kServer : Side::kClient;
  if (proof_packet.command != LINK_COMMAND_PROOF || !parse(their_proof, proof_packet.envelope) ||
      !proof_matches(their_proof.mac(), make_proof(self->identity_.secret, other, client, server))) {
    co_return fail(Code::kUnauthenticated, "wrong cluster secret");
  }
  if (side == Side::kServer) {
    proof.set_mac(make_proof(self->identity_.secret, side, client, server));
    send_now(self, LINK_COMMAND_PROOF, proof);
  }
  self->peer_.role = theirs.role();
  self->peer_.node_id = theirs.node_id();
  self->peer_.boot_id = theirs.boot_id();
  self->peer_.link_version = theirs.link_version();
  self->peer_.worker = theirs.worker();
  self->packets_.erase(self->packets_.begin(), self->packets_.begin() + static_cast<std::ptrdiff_t>(taken));
  co_return Status{};
}

// Closes a link whose peer is silent, and pings it so that a live one is not.
net::Awaitable<> Link::watch(LinkPtr self) {
  int silent = 0;
  auto interval = self->options_.hello_deadline;
  std::uint32_t number = 0;
  while (!self->closed_) {
    self->timer_.expires_after(interval);
    net::error_code ec;
    co_await self->timer_.async_wait(net::await(ec));
    if (self->closed_) break;
    if (!self->up_) {
      if (!ec) self->close_in_loop("no hello in time");
      interval = self->options_.ping_interval;
      continue;
    }
    interval = self->options_.ping_interval;
    if (ec) continue;  // woken because the link came up
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

net::Awaitable<> Link::serve(LinkPtr self) {
  self->handle_packets();  // what came right behind the proof
  while (!self->closed_ && co_await read_packets(self)) self->handle_packets();
}

net::Awaitable<> Link::run(LinkPtr self, Side side, std::uint32_t worker) {
  self->loop_.spawn("link watch", watch(self));
  const Status shaken = co_await shake_hands(self, side, worker);
  if (!shaken) {
    // Who connects and says nothing is a port probe.
    const auto level = shaken.error().code == Code::kUnavailable ? log::Level::kDebug : log::Level::kWarn;
    log::write(level, "link", "hello failed peer={} code={} reason={}", self->peer_.address,
               code_name(shaken.error().code), log::quoted(shaken.error().message));
    self->close_in_loop("hello failed");
    co_return;
  }
  if (self->closed_) co_return;
  self->up_ = true;
  self->open_.store(true, std::memory_order_release);
  self->timer_.cancel();  // from the hello deadline to pings
  log::info("link", "up peer={} role={} node={} worker={}", self->peer_.address, role_name(self->peer_.role),
            log::quoted(self->peer_.node_id), self->peer_.worker);
  self->handler_.on_link_up(self);
  co_await serve(self);
  self->close_in_loop("ended");
  log::info("link", "down peer={} role={} node={} reason={}", self->peer_.address,
            role_name(self->peer_.role), log::quoted(self->peer_.node_id), log::quoted(self->close_reason_));
  self->handler_.on_link_down(self);
}

}  // namespace hongyan::link
