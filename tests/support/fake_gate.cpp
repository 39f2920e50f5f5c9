#include "tests/support/fake_gate.h"

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <chrono>
#include <future>

#include "proto/parse.h"

namespace hongyan::testing {

struct FakeGate::Connection {
  explicit Connection(net::TcpSocket accepted) : socket(std::move(accepted)) {}
  void close() {
    net::error_code ignored;
    socket.close(ignored);
  }
  net::TcpSocket socket;
  bool authenticated = false;
};

FakeGate::FakeGate()
    : acceptor_(loop_.executor(), net::Tcp::endpoint(net::asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
  loop_.start();
  loop_.spawn("fake gate accept", accept_loop(this));
}

FakeGate::~FakeGate() {
  loop_.stop();
  loop_.join();
}

void FakeGate::run_on_loop(std::function<void()> work) {
  std::promise<void> done;
  loop_.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

void FakeGate::happened() { changed_.notify_all(); }

net::Awaitable<> FakeGate::accept_loop(FakeGate* self) {
  for (;;) {
    net::error_code ec;
    net::TcpSocket socket = co_await self->acceptor_.async_accept(net::await(ec));
    if (ec) co_return;
    auto connection = std::make_shared<Connection>(std::move(socket));
    self->connections_.push_back(connection);
    self->loop_.spawn("fake gate session", serve(self, connection));
  }
}

net::Awaitable<> FakeGate::serve(FakeGate* self, std::shared_ptr<Connection> connection) {
  net::PacketDecoder decoder(1 << 20);
  std::vector<char> buffer(64 << 10);
  for (;;) {
    net::error_code ec;
    const std::size_t bytes =
        co_await connection->socket.async_read_some(net::asio::buffer(buffer), net::await(ec));
    if (ec) break;
    decoder.feed({buffer.data(), bytes});
    for (;;) {
      const auto next = decoder.next();
      if (!next || *next == nullptr) break;
      self->handle(connection, **next);
    }
    decoder.keep();
  }
  std::erase(self->connections_, connection);
}

template <typename Body>
void FakeGate::reply(const std::shared_ptr<Connection>& connection, std::uint32_t command, std::uint32_t seq,
                     const Body& body) {
  if (silent_ || !connection->socket.is_open()) return;
  std::string bytes;
  net::append_packet(bytes, 200, command, seq, body.SerializeAsString());
  net::error_code ignored;
  net::asio::write(connection->socket, net::asio::buffer(bytes),
                   ignored);  // a test's packets fit the socket's buffer
}

void FakeGate::handle(const std::shared_ptr<Connection>& connection, const net::Packet& packet) {
  const std::scoped_lock lock(mutex_);
  const auto& header = packet.header;
  const std::string body(packet.body);
  if (header.cmd_id == client::COMMAND_AUTH) {
    client::AuthReq request;
    request.ParseFromString(body);
    last_token_ = request.token();
    client::AuthResp response;
    if (auth_refusal_ != client::ERROR_CODE_OK) {
      response.mutable_error()->set_code(auth_refusal_);
    } else {
      ++logins_;
      connection->authenticated = true;
      response.set_session_id(static_cast<std::uint64_t>(logins_));
      response.set_heartbeat_seconds(270);
      response.set_inbox_seq(static_cast<std::int64_t>(inbox_.size()));
      response.set_acked_inbox_seq(acknowledged_);
    }
    reply(connection, header.cmd_id, header.seq, response);
  } else if (header.cmd_id == client::COMMAND_C2C_SEND) {
    on_send(connection, packet);
  } else if (header.cmd_id == client::COMMAND_PULL) {
    on_pull(connection, packet);
  } else if (header.cmd_id == client::COMMAND_C2C_PUSH) {
    client::PushAck ack;
    ack.ParseFromString(body);
    acknowledged_ = std::max(acknowledged_, ack.seq());
  } else if (header.cmd_id == client::COMMAND_NOOP || header.cmd_id == client::COMMAND_LOGOUT) {
    reply(connection, header.cmd_id, header.seq, client::ErrorOnly());
  }
  happened();
}

void FakeGate::on_send(const std::shared_ptr<Connection>& connection, const net::Packet& packet) {
  client::C2CSendReq request;
  static_cast<void>(parse(request, packet.body));
  ++send_packets_;
  client::C2CSendResp response;
  if (refused_sends_ > 0) {
    --refused_sends_;
    response.mutable_error()->set_code(send_refusal_);
    return reply(connection, packet.header.cmd_id, packet.header.seq, response);
  }
  const auto [known, fresh] =
      msg_ids_.try_emplace(request.client_msg_id(), static_cast<std::int64_t>(stored_.size()) + 1);
  if (fresh) {
    stored_.push_back({.to = request.to(),
                       .content = request.content(),
                       .client_msg_id = request.client_msg_id(),
                       .msg_id = known->second});
  }
  if (cut_sends_ > 0) {
    --cut_sends_;
    return connection->close();
  }
  response.set_msg_id(known->second);
  response.set_outbox_seq(known->second);
  reply(connection, packet.header.cmd_id, packet.header.seq, response);
}

void FakeGate::on_pull(const std::shared_ptr<Connection>& connection, const net::Packet& packet) {
  client::PullReq request;
  static_cast<void>(parse(request, packet.body));
  acknowledged_ = std::max(acknowledged_, request.offset());
  client::PullResp response;
  response.set_inbox_seq(static_cast<std::int64_t>(inbox_.size()));
  for (const auto& row : inbox_) {
    if (row.seq() > request.offset() && response.msg().size() < request.limit()) *response.add_msg() = row;
  }
  reply(connection, packet.header.cmd_id, packet.header.seq, response);
}

std::int64_t FakeGate::store(const std::string& from, const std::string& content, bool push) {
  std::int64_t seq = 0;
  run_on_loop([&] {
    const std::scoped_lock lock(mutex_);
    seq = static_cast<std::int64_t>(inbox_.size()) + 1;
    client::PullMsg row;
    row.set_from(from);
    row.set_content(content);
    row.set_seq(seq);
    row.set_msg_id(1000 + seq);
    row.set_cmd_id(client::COMMAND_C2C_SEND);
    inbox_.push_back(row);
    if (!push || connections_.empty() || !connections_.back()->authenticated) return;
    client::C2CPush body;
    body.set_from(from);
    body.set_content(content);
    body.set_seq(seq);
    body.set_msg_id(1000 + seq);
    reply(connections_.back(), client::COMMAND_C2C_PUSH, 0, body);
  });
  return seq;
}

void FakeGate::kick(client::KickReason reason, std::uint32_t reconnect_after_ms) {
  run_on_loop([&] {
    client::Kickout body;
    body.set_reason(reason);
    body.set_reconnect_after_ms(reconnect_after_ms);
    for (const auto& connection : connections_) reply(connection, client::COMMAND_KICKOUT, 0, body);
  });
}

void FakeGate::cut() {
  run_on_loop([&] {
    for (const auto& connection : connections_) connection->close();
  });
}

void FakeGate::cut_instead_of_answering(int sends) {
  const std::scoped_lock lock(mutex_);
  cut_sends_ = sends;
}
void FakeGate::refuse_sends(int sends, client::ErrorCode code) {
  const std::scoped_lock lock(mutex_);
  refused_sends_ = sends;
  send_refusal_ = code;
}
void FakeGate::refuse_auth(client::ErrorCode code) {
  const std::scoped_lock lock(mutex_);
  auth_refusal_ = code;
}
void FakeGate::go_silent(bool silent) {
  const std::scoped_lock lock(mutex_);
  silent_ = silent;
}

std::vector<FakeGate::SentMessage> FakeGate::stored() const {
  const std::scoped_lock lock(mutex_);
  return stored_;
}
int FakeGate::logins() const {
  const std::scoped_lock lock(mutex_);
  return logins_;
}
int FakeGate::send_packets() const {
  const std::scoped_lock lock(mutex_);
  return send_packets_;
}
std::int64_t FakeGate::acknowledged() const {
  const std::scoped_lock lock(mutex_);
  return acknowledged_;
}
std::string FakeGate::last_token() const {
  const std::scoped_lock lock(mutex_);
  return last_token_;
}

bool FakeGate::wait_for(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), condition);
}

}  // namespace hongyan::testing
