// A machine of the cluster on which a gate runs.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/device_class.h"
#include "common/owners/router.h"
#include "proto/client.pb.h"
#include "proto/link.pb.h"
#include "tests/simulator/link.h"
#include "tests/simulator/node.h"

namespace hongyan::simulator {

class Client;

// A client's connection.
struct Connection {
  Client* client = nullptr;
  Gate* gate = nullptr;
  std::uint64_t channel = 0;
  std::shared_ptr<Process> gate_process;
  std::shared_ptr<Pipe> to_gate;
  std::shared_ptr<Pipe> to_client;
  bool closed = false;
};
using ConnectionPtr = std::shared_ptr<Connection>;

struct ClientPacket {
  std::uint32_t cmd_id = 0;
  std::uint32_t seq = 0;
  std::string body;
};

void append_varint_field(std::string& out, std::uint32_t field, std::int64_t value);

// The gate's Router as it is; sessions and links do here what gate/session and gate/forward do.
class Gate : public owners::Requester {
 public:
  Gate(Network& network, std::uint32_t number, std::vector<Node*> nodes);
  ~Gate() override;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t boot() const noexcept { return boot_; }
  [[nodiscard]] bool running() const noexcept { return process_ != nullptr; }
  void start();
  void crash();
  void freeze();
  void thaw();

  // Null: nobody listens.
  [[nodiscard]] ConnectionPtr accept(Client& client);
  void from_client(const ConnectionPtr& connection, ClientPacket packet);
  void client_gone(const ConnectionPtr& connection);

  // From nodes, in the gate's process.
  struct Response {
    std::uint32_t seq = 0;
    bool not_owner = false;
    std::uint64_t known_epoch = 0;
    std::uint64_t login_epoch = 0;
    std::int64_t expires_ms = 0;
    bool confirm = false;
    bool refused = false;
    std::string body = {};
  };
  void slots(const LinkPtr& link, const owners::Announcement& announcement, std::uint64_t version);
  void link_down(const LinkPtr& link);
  void response(const LinkPtr& link, const Response& response);
  void push(const LinkPtr& link, Slot slot, std::uint32_t cmd_id, std::uint64_t channel,
            const std::string& body);
  void kick(std::uint64_t channel, const std::string& kickout);

 private:
  struct Session {
    ConnectionPtr connection;
    std::string uid = {};
    std::string device_id = {};
    std::uint32_t device_type = 0;
    DeviceClass device_class = DeviceClass::kUnknown;
    Slot slot = 0;
    bool logged_in = false;
    bool auth_pending = false;
    bool auth_in_doubt = false;
    std::uint64_t login_epoch = 0;
    std::int64_t expires_ms = 0;
    std::int64_t acked_inbox_seq = 0;
    bool alive_unreported = false;
    SteadyTime last_reported{};
    std::deque<ClientPacket> held = {};  // behind an AUTH
  };

  Sent send(owners::NodeId node, const owners::Request& request) override;
  void answered(const owners::Request& request, const owners::Answer& answer) override;
  void refused(const owners::Request& request, const Error& error) override;

  void take(Session& session, const ClientPacket& packet);
  void auth(Session& session, const ClientPacket& packet);
  void submit(Session& session, const ClientPacket& packet);
  void log_in(Session& session, const owners::Answer& answer);
  void auth_done(std::uint64_t channel);
  void respond(Session& session, std::uint32_t cmd_id, std::uint32_t seq, std::string_view body);
  void close(std::uint64_t channel);
  void kick_other_login(Session& session);
  void tell_closed(const Session& session);
  void tell(const LinkPtr& link, const link::Sessions& told);
  void fill(link::Session& out, const Session& session) const;
  [[nodiscard]] LinkPtr owner_of(Slot slot);
  [[nodiscard]] Session* session_of(std::uint64_t channel);
  void connect_nodes();
  void watch_links();
  void report_alive();

  Network& network_;
  const std::string name_;
  const std::vector<Node*> nodes_;
  std::shared_ptr<Process> process_;
  std::uint64_t boot_ = 0;
  std::uint64_t next_channel_ = 1;
  owners::NodeId next_link_ = 1;
  std::unique_ptr<owners::Router> router_;
  std::map<std::uint64_t, Session> sessions_;
  std::map<std::pair<std::string, DeviceClass>, std::uint64_t> logged_in_;
  std::map<owners::NodeId, LinkPtr> links_;           // that are up
  std::map<logic::NodeNumber, LinkPtr> connections_;  // those and what is being made
};

}  // namespace hongyan::simulator
