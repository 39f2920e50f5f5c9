// A business service that sends messages to its users through the server API.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/actors/http_caller.h"
#include "tools/bench/actors/receiver.h"
#include "tools/bench/actors/users.h"
#include "tools/bench/measure/check.h"
#include "tools/bench/measure/window.h"

namespace hongyan::bench {

// Each call sends one content to all of its targets, who are online. One call at a time on its connection; a
// place in the window is free again when the call is answered and every target has the message. Its loop
// only; must outlive the loop's last turn (Fleet::stop()).
class Service {
 public:
  struct Options {
    std::string id;  // begins every client_msg_id, ends in "-"; no other service has it
    std::string from;
    std::vector<std::string> targets;
    std::size_t window = 1;  // calls under way, answered ones included that are not delivered yet
  };

  // content, worker, shared: outlive the service. targets: logged in, in the order of options.
  Service(Options options, const Content& content, Worker& worker, Shared& shared,
          std::shared_ptr<HttpCaller> caller, std::vector<User> targets);

  // schedule: of calls; none for a closed loop.
  void start(std::optional<Schedule> schedule);
  void send(SteadyTime now);
  void close();

  [[nodiscard]] const Window& window() const noexcept { return window_; }
  [[nodiscard]] Faults faults() const noexcept;
  [[nodiscard]] std::uint64_t calls() const noexcept { return undelivered_.size(); }
  [[nodiscard]] std::uint64_t delivered() const noexcept;
  [[nodiscard]] std::uint64_t redelivered() const noexcept;

 private:
  struct Target {
    Check check;
    std::unique_ptr<Receiver> receiver;
  };

  void call_next();
  void on_response(int status, const std::string& body);
  void retry_later(std::uint32_t number);
  void on_delivery(Target& target, const Delivery& delivery, SteadyTime now);

  const Options options_;
  const Content& content_;
  Worker& worker_;
  Shared& shared_;
  const std::shared_ptr<HttpCaller> caller_;
  std::string prefix_;  // of every body, up to the number in client_msg_id
  std::vector<std::unique_ptr<Target>> targets_ = {};
  Window window_;
  std::deque<std::uint32_t> waiting_ = {};       // calls that wait for the connection
  bool calling_ = false;                         // waiting_'s first is under way
  std::vector<std::uint32_t> undelivered_ = {};  // by number: targets that do not have it yet
};

}  // namespace hongyan::bench
