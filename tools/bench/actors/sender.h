// A connection that sends messages and waits for their acknowledgements.
#pragma once

#include <functional>
#include <memory>

#include "tools/bench/actors/connection.h"
#include "tools/bench/actors/fleet.h"
#include "tools/bench/measure/check.h"
#include "tools/bench/measure/window.h"

namespace hongyan::bench {

// Keeps its window full (or to its schedule), repeats what was refused for the time being, and ends the run
// on a final refusal. Its loop only; must outlive the loop's last turn (Fleet::stop()).
class Sender {
 public:
  // The body of message `number`; valid until the next call. All answers have the fields of C2CSendResp.
  using Compose = std::function<const google::protobuf::MessageLite&(std::uint32_t number)>;

  struct Options {
    client::Command command = client::COMMAND_C2C_SEND;
    Window::Options window = {};
    std::uint64_t most = UINT32_MAX - 100;  // messages; seqs of packets end soon after
  };

  // worker, shared, check: outlive the sender. connection: logged in.
  Sender(Options options, Compose compose, Worker& worker, Shared& shared, Check& check,
         std::shared_ptr<Connection> connection)
      : options_(options),
        compose_(std::move(compose)),
        worker_(worker),
        shared_(shared),
        check_(check),
        connection_(std::move(connection)),
        window_(options_.window, shared) {}

  // Reads the connection, and begin().
  void start(std::optional<Schedule> schedule);
  // Sends the first messages, when somebody else reads the connection and gives take() what comes. schedule:
  // none for a closed loop.
  void begin(std::optional<Schedule> schedule);
  void take(const net::Packet& packet);
  // Sends what may leave now.
  void send(SteadyTime now);
  // The receiver has the message.
  void delivered(std::uint32_t number, SteadyTime now);
  void close() { connection_->close(); }

  // Window::measured_from().
  [[nodiscard]] std::optional<SteadyTime> measured_from(std::uint32_t number) noexcept {
    return window_.measured_from(number);
  }
  [[nodiscard]] bool done() const noexcept { return check_.count_acknowledged() >= options_.most; }
  [[nodiscard]] const Window& window() const noexcept { return window_; }

 private:
  void transmit(std::uint32_t number);
  void retry_later(std::uint32_t number, std::uint32_t retry_after_ms);

  const Options options_;
  const Compose compose_;
  Worker& worker_;
  Shared& shared_;
  Check& check_;
  const std::shared_ptr<Connection> connection_;
  Window window_;
  client::C2CSendResp response_;  // reused, to spare allocations
};

}  // namespace hongyan::bench
