// One user on one device, with the client library, watched by the recorder.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/cpp/client.h"
#include "tools/checker/recorder.h"

namespace hongyan::checker {

// A way to the gates.
struct Carrier {
  client::TransportFactory transports = client::make_tcp_transport;
  std::vector<Endpoint> gates = {};
};

struct DeviceOptions {
  Seat seat = {};
  std::string app = {};
  std::string token = {};
  client::DeviceType type = client::DEVICE_TYPE_LINUX;
  Carrier carrier = {};
  std::uint64_t seed = 0;
  bool from_start = false;  // holds nothing at its first login
};

// Lives on its loop, which the recorder shares.
class Device {
 public:
  // seat.auditor: pulls inbox and outbox from 0. on_message: sees what the library delivers.
  Device(net::EventLoop& loop, Recorder& recorder, DeviceOptions options,
         std::function<void(const client::Message&)> on_message = {});

  void start() { client_->start(); }
  [[nodiscard]] bool online() const noexcept { return state_ == client::State::kOnline; }
  [[nodiscard]] bool stopped() const noexcept { return state_ == client::State::kStopped; }
  [[nodiscard]] bool synced() const noexcept { return synced_; }
  // How often another login took this device's place.
  [[nodiscard]] int kicks() const noexcept { return kicks_; }
  // Why it is not online: "UNAVAILABLE kicked: …".
  [[nodiscard]] const std::string& last_failure() const noexcept { return last_failure_; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.seat.device; }
  [[nodiscard]] const DeviceOptions& options() const noexcept { return options_; }
  [[nodiscard]] client::Client& client() noexcept { return *client_; }

 private:
  const DeviceOptions options_;
  client::State state_ = client::State::kStopped;
  bool synced_ = false;
  int kicks_ = 0;
  std::string last_failure_ = {};
  std::unique_ptr<client::Client> client_;
};

}  // namespace hongyan::checker
