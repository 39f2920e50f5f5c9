// A user's device.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/cpp/core.h"
#include "tests/simulator/gate.h"
#include "tests/simulator/ledger.h"

namespace hongyan::simulator {

// ClientCore as it is, with a connection to some gate. Sends now and then while it is told to.
class Client {
 public:
  Client(Network& network, Ledger& ledger, std::string uid, std::vector<Gate*> gates);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return uid_; }
  void start();
  void send_to(const std::string& uid);
  void send_to_group(std::int64_t group_id);
  void group(client::GroupRequest request, std::function<void(const Result<client::SendReceipt>&)> done);
  // The connection breaks.
  void cut();
  [[nodiscard]] bool quiet() const { return core_.pending_sends() == 0; }
  [[nodiscard]] bool online() const { return core_.state() == client::State::kOnline; }

  // From the gate.
  void take(const ConnectionPtr& connection, const ClientPacket& packet);
  void lost(const ConnectionPtr& connection);

 private:
  void drain();
  void perform(client::Output& output);
  void connect();
  void write(const std::string& bytes);
  void watch_head(const ClientPacket& packet);
  void arm();
  [[nodiscard]] client::SendOptions options_for(const std::string& id);
  [[nodiscard]] std::string next_id() { return fmt::format("{}-{}", uid_, ++sent_); }

  Network& network_;
  Ledger& ledger_;
  const std::string uid_;
  const std::vector<Gate*> gates_;
  client::ClientCore core_;
  ConnectionPtr connection_;
  std::uint64_t attempt_ = 0;  // to connect
  std::uint64_t sent_ = 0;
  SteadyTime armed_ = SteadyTime::max();
  bool draining_ = false;
  std::map<client::SendId, std::string> ids_;
  std::map<client::SendId, std::function<void(const Result<client::SendReceipt>&)>> commands_;
  std::map<std::uint32_t, std::int64_t> asked_;  // of AUTH and PULL: the head known then
};

}  // namespace hongyan::simulator
