// The C++ client library of Hongyan.
//
//   net::EventLoop loop("client");
//   loop.start();
//   ClientOptions options;
//   options.uid = "alice";
//   options.token = token;                       // or options.token_source
//   options.iplist = {"http://127.0.0.1:7200"};  // or options.gates = {{"127.0.0.1", 7000}}
//   Client client(options, {.on_message = [](const Message& m) { show(m.from, m.content); }}, loop);
//   client.start();
//   Result<SendReceipt> receipt = co_await client.send("bob", "hello");
//   Result<SendReceipt> made = co_await client.group(create_group("weekend", {"bob", "carol"}));
//   co_await client.send_to_group({.group_id = made->group.group().group_id(), .content = "hello all"});
//
// It connects, logs in, pulls what it missed, and stays connected until stop(), a kick by another login, or a
// refusal that no retry can change. Every message comes exactly once and in order; every send ends with an
// answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/cpp/outgoing.h"
#include "client/cpp/transport.h"
#include "client/cpp/types.h"
#include "common/base/backoff.h"
#include "common/net/event_loop.h"

namespace hongyan::client {

// Gives a token for options.uid, each time a connection is made. A temporary failure (kUnavailable,
// kDeadlineExceeded, kRateLimited, kInternal) is tried again, another stops the client. Runs on the client's
// loop.
using TokenSource = std::function<net::Awaitable<Result<std::string>>()>;

struct ClientOptions : CoreOptions {
  std::vector<Endpoint> gates =
      {};  // gone round from a random start; with an iplist: only while it does not answer
  std::vector<std::string> iplist = {};  // base URLs ("http://host:port"), asked in this order
  std::string token = {};                // used when token_source is empty
  TokenSource token_source = {};
  Milliseconds connect_timeout{5'000};
  // With another than TCP: make_transports(transport_kind), and an iplist is asked for gates of that kind.
  TransportKind transport_kind = TransportKind::kTcp;
  TransportFactory transport = make_tcp_transport;
  Random random = {};  // for jitter; empty: a generator of its own
};

// Called on the client's loop, one at a time; they must not block, and not throw (what is thrown is logged).
// They may call the client, and destroy it when it lives on a given loop.
struct Handlers {
  std::function<void(const Message&)> on_message = {};
  // failure: why; kOk when nothing is wrong.
  std::function<void(State, const Failure& failure)> on_state = {};
  std::function<void(const Kick&)> on_kicked = {};
  // The held seqs moved. The server is told only after this returned: who keeps them here loses nothing.
  std::function<void(const HeldSeqs&)> on_held = {};
  // The same of one large group: what CoreOptions::held_groups wants back.
  std::function<void(std::int64_t group_id, std::int64_t held)> on_group_held = {};
  // Everything that was stored has been received: after each login, and after pull().
  std::function<void()> on_synced = {};
};

using SendCallback = std::move_only_function<void(Result<SendReceipt>)>;
using StatusCallback = std::move_only_function<void(Status)>;

class Driver;

// Any thread may call any method; coroutines may run on any loop. The loop given to it runs longer than the
// client lives; without one the client has a thread of its own. Once the destructor returns no handler runs;
// what was still awaited ends with kUnavailable, or kDeadlineExceeded where the outcome is unknown. The
// destructor closes the connection without a word; stop() beforehand says LOGOUT.
class Client {
 public:
  Client(ClientOptions options, Handlers handlers, net::EventLoop& loop);
  Client(ClientOptions options, Handlers handlers);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Begins to connect; again after the client stopped. Held seqs are kept between.
  void start();
  // Ends when the server answered LOGOUT (so it has seen every acknowledgement), after a second at most.
  [[nodiscard]] net::Awaitable<> stop();

  // For an application that hears that the network is back, or the device woke up: connects soon when it
  // waits for a later attempt, and asks whether a connection that stands still lives.
  void hurry();
  // The inbox seq that this device class had acknowledged at the last login: with CoreOptions::backlog, what
  // is up to it is not new.
  [[nodiscard]] std::int64_t acknowledged() const noexcept;

  // All that is sent: to a user (ToUser), a group (ToGroup), a business service (ToService), or an operation
  // on groups (GroupRequest, made by client/cpp/group.h).
  //
  // Ends when the server has stored the message, when it is refused for good, or at the deadline
  // (kDeadlineExceeded: it may have been stored; a later send with the same client_msg_id is safe). Resent
  // until then. kUnavailable: stopped, or too many messages wait.
  [[nodiscard]] net::Awaitable<Result<SendReceipt>> send_any(Outgoing what, SendOptions options = {});
  // The same; the callback runs on the client's loop.
  void send_any(Outgoing what, SendOptions options, SendCallback done);

  // content: any bytes.
  [[nodiscard]] net::Awaitable<Result<SendReceipt>> send(std::string to, std::string content,
                                                         SendOptions options = {}) {
    return send_any(ToUser{std::move(to), std::move(content)}, std::move(options));
  }
  void send(std::string to, std::string content, SendOptions options, SendCallback done) {
    send_any(ToUser{std::move(to), std::move(content)}, std::move(options), std::move(done));
  }

  // To a business service, by a destination that the app's configuration allows: outbox_seq 0, once it is in
  // the service's topic, at least once.
  [[nodiscard]] net::Awaitable<Result<SendReceipt>> upload(std::string destination, std::string content,
                                                           SendOptions options = {}) {
    return send_any(ToService{std::move(destination), std::move(content)}, std::move(options));
  }
  void upload(std::string destination, std::string content, SendOptions options, SendCallback done) {
    send_any(ToService{std::move(destination), std::move(content)}, std::move(options), std::move(done));
  }

  // The message itself comes back by on_message, with its place in the group's order (Message::own).
  [[nodiscard]] net::Awaitable<Result<SendReceipt>> send_to_group(ToGroup what, SendOptions options = {}) {
    return send_any(std::move(what), std::move(options));
  }
  void send_to_group(ToGroup what, SendOptions options, SendCallback done) {
    send_any(std::move(what), std::move(options), std::move(done));
  }

  // The answer stands in SendReceipt::group; resent with the same client_msg_id it is done once. What it
  // changed comes by on_message too, to all members (group_event()).
  [[nodiscard]] net::Awaitable<Result<SendReceipt>> group(GroupRequest request, SendOptions options = {}) {
    return send_any(std::move(request), std::move(options));
  }
  void group(GroupRequest request, SendOptions options, SendCallback done) {
    send_any(std::move(request), std::move(options), std::move(done));
  }

  // Pulls all that the server has beyond what is held; ends when nothing is left. Messages go to on_message.
  [[nodiscard]] net::Awaitable<Status> pull(Milliseconds timeout = Milliseconds(30'000));
  void pull(Milliseconds timeout, StatusCallback done);

 private:
  std::unique_ptr<net::EventLoop> own_loop_;
  net::EventLoop& loop_;
  std::shared_ptr<Driver> driver_;
};

}  // namespace hongyan::client
