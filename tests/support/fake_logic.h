// A logic node for tests of the gate: owns slots as told, remembers what comes, answers as told.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/link/link_server.h"
#include "common/link/member_view.h"
#include "proto/client.pb.h"
#include "proto/parse.h"

namespace hongyan::test {

inline constexpr const char* kClusterSecret = "a secret for tests only";
inline constexpr Milliseconds kPatience{10000};

// One request, alive-report, closed or gone packet as received.
struct LogicPacket {
  link::LinkPtr link;
  link::LinkCommand command = link::LINK_COMMAND_NONE;
  std::uint32_t seq = 0;
  std::uint32_t slot = 0;
  link::ClientRequest request;
  link::Sessions sessions;
  std::uint64_t channel = 0;  // of closed and gone
  std::string payload;
};

// Listens on loopback, on a loop of its own. The functions may be called by any thread.
class FakeLogic : private link::LinkHandler {
 public:
  static constexpr std::int64_t kExpiresMs = 4'000'000'000'000;  // of every login

  // Called on the loop for each request. The default accepts every AUTH (login epochs count up) and answers
  // everything else "OK".
  using Answerer = std::function<void(FakeLogic&, const LogicPacket&)>;

  explicit FakeLogic(std::string node_id = "logic-1", std::uint16_t port = 0) : identity_{} {
    identity_ = {.role = link::ROLE_LOGIC,
                 .node_id = std::move(node_id),
                 .boot_id = random_id(),
                 .secret = kClusterSecret};
    loop_.start();
    start(port);
  }
  ~FakeLogic() {
    stop();
    loop_.stop();
    loop_.join();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  // Ends all links and stops listening.
  void stop() {
    if (!server_) return;
    server_->stop();
    server_.reset();
    auto refusing = std::make_shared<std::promise<void>>();
    loop_.post([refusing] { refusing->set_value(); });
    refusing->get_future().wait();
    wait([this] { return links_.empty(); });
  }
  void start(std::uint16_t port) {
    auto server = link::LinkServer::start({&loop_}, "127.0.0.1", port, identity_, *this);
    HONGYAN_ASSERT(server.has_value());
    server_ = std::move(*server);
    port_ = server_->port();
  }

  // From now on, and told to every link that comes up. {}: owns nothing.
  void own(std::uint32_t first, std::uint32_t last, std::uint64_t epoch) {
    link::Slots slots;
    auto& range = *slots.add_ranges();
    range.set_first(first);
    range.set_last(last);
    range.set_epoch(epoch);
    announce(slots);
  }
  void own_nothing() { announce({}); }

  void answer_with(Answerer answerer) {
    const std::lock_guard lock(mutex_);
    answerer_ = std::move(answerer);
  }

  void respond(const LogicPacket& to, std::string_view body, bool refused = false, std::uint64_t epoch = 0) {
    link::ClientResponse response;
    response.set_refused(refused);
    response.set_login_epoch(epoch);
    if (epoch != 0) response.set_expires_ms(kExpiresMs);
    static_cast<void>(to.link->send(link::LINK_COMMAND_RESPONSE, to.seq, 0, response, body));
  }
  void respond_not_owner(const LogicPacket& to, std::uint64_t known_epoch) {
    link::ClientResponse response;
    response.set_outcome(link::ClientResponse::OUTCOME_NOT_OWNER);
    response.set_slot_epoch(known_epoch);
    static_cast<void>(to.link->send(link::LINK_COMMAND_RESPONSE, to.seq, 0, response));
  }
  void accept_login(const LogicPacket& to) {
    client::AuthResp body;
    body.set_heartbeat_seconds(270);
    std::uint64_t epoch = 0;
    {
      const std::lock_guard lock(mutex_);
      epoch = next_epoch_++;
    }
    respond(to, body.SerializeAsString(), false, epoch);
  }
  void push(const link::LinkPtr& link, const std::vector<std::uint64_t>& channels, std::string_view body,
            std::uint32_t cmd_id = client::COMMAND_C2C_PUSH) {
    link::Push push;
    push.set_cmd_id(cmd_id);
    for (const auto channel : channels) push.add_channels(channel);
    static_cast<void>(link->send(link::LINK_COMMAND_PUSH, 0, 7, push, body));
  }
  void kick(const link::LinkPtr& link, std::uint64_t channel, std::string_view kickout) {
    link::Kick kick;
    kick.set_channel(channel);
    static_cast<void>(link->send(link::LINK_COMMAND_KICK, 0, 0, kick, kickout));
  }

  // Waits for the first packet that fits, and takes it. Fails the program's patience by returning one with
  // LINK_COMMAND_NONE.
  [[nodiscard]] LogicPacket take(const std::function<bool(const LogicPacket&)>& fits) {
    LogicPacket found;
    wait([&] {
      for (auto it = packets_.begin(); it != packets_.end(); ++it) {
        if (!fits(*it)) continue;
        found = *it;
        packets_.erase(it);
        return true;
      }
      return false;
    });
    return found;
  }
  [[nodiscard]] LogicPacket take(link::LinkCommand command) {
    return take([command](const LogicPacket& packet) { return packet.command == command; });
  }
  [[nodiscard]] LogicPacket take_request(std::uint32_t cmd_id) {
    return take([cmd_id](const LogicPacket& packet) {
      return packet.command == link::LINK_COMMAND_REQUEST && packet.request.cmd_id() == cmd_id;
    });
  }
  // What has come so far.
  void forget() {
    const std::lock_guard lock(mutex_);
    packets_.clear();
  }

 private:
  bool wait(const std::function<bool()>& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, done);
  }
  void announce(const link::Slots& slots) {
    const std::lock_guard lock(mutex_);
    slots_ = slots;
    owns_ = true;
    for (const auto& link : links_) static_cast<void>(link->send(link::LINK_COMMAND_SLOTS, 0, 0, slots_));
  }

  void on_link_up(const link::LinkPtr& link) override {
    const std::lock_guard lock(mutex_);
    links_.push_back(link);
    if (owns_) static_cast<void>(link->send(link::LINK_COMMAND_SLOTS, 0, 0, slots_));
    changed_.notify_all();
  }
  void on_link_down(const link::LinkPtr& link) override {
    const std::lock_guard lock(mutex_);
    std::erase(links_, link);
    changed_.notify_all();
  }
  void on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) override {
    for (const auto& in : packets) {
      LogicPacket packet{.link = link,
                         .command = in.command,
                         .seq = in.seq,
                         .slot = in.slot,
                         .request = {},
                         .sessions = {},
                         .channel = 0,
                         .payload = std::string(in.payload)};
      const auto read = [&in](auto& message) { HONGYAN_ASSERT(parse(message, in.envelope)); };
      link::SessionClosed closed;
      link::Gone gone;
      if (in.command == link::LINK_COMMAND_REQUEST) read(packet.request);
      if (in.command == link::LINK_COMMAND_SESSIONS) read(packet.sessions);
      if (in.command == link::LINK_COMMAND_SESSION_CLOSED) read(closed);
      if (in.command == link::LINK_COMMAND_GONE) read(gone);
      packet.channel = closed.channel() != 0 ? closed.channel() : gone.channel();
      Answerer answerer;
      {
        const std::lock_guard lock(mutex_);
        packets_.push_back(packet);
        answerer = answerer_;
        changed_.notify_all();
      }
      if (in.command != link::LINK_COMMAND_REQUEST) continue;
      if (answerer) {
        answerer(*this, packet);
      } else if (packet.request.cmd_id() == client::COMMAND_AUTH) {
        accept_login(packet);
      } else if (packet.seq != 0) {
        respond(packet, "OK");
      }
    }
  }

  link::Identity identity_;
  net::EventLoop loop_{"fake-logic"};
  std::shared_ptr<link::LinkServer> server_;
  std::uint16_t port_ = 0;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<link::LinkPtr> links_;
  std::vector<LogicPacket> packets_;
  Answerer answerer_;
  link::Slots slots_;
  bool owns_ = false;
  std::uint64_t next_epoch_ = 1000;
};

// As an iplist would name them.
[[nodiscard]] inline std::vector<link::Member> members_of(const std::vector<const FakeLogic*>& nodes) {
  std::vector<link::Member> members;
  for (const auto* node : nodes) {
    members.push_back({.node_id = std::to_string(node->port()), .endpoint = {"127.0.0.1", node->port()}});
  }
  return members;
}

}  // namespace hongyan::test
