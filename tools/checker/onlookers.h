// Users whose answers are timed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/net/event_loop.h"
#include "tools/checker/device.h"

namespace hongyan::checker {

struct OnlookersOptions {
  std::vector<std::string> uids = {};
  std::vector<std::string> tokens = {};  // of each
  double rate = 0;                       // messages a second, together
  std::string app = {};
  Carrier carrier = {};
  std::uint64_t seed = 0;
};

// They send to each other, at a steady rate, on a thread of their own: what the checker does with everybody
// else's packets does not delay theirs, as it would not on other machines. Nothing else is judged of them.
class Onlookers {
 public:
  explicit Onlookers(const OnlookersOptions& options);
  ~Onlookers();
  Onlookers(const Onlookers&) = delete;
  Onlookers& operator=(const Onlookers&) = delete;

  [[nodiscard]] bool online();
  void begin();
  // Ends them; what was sent, and when it was answered. Once.
  [[nodiscard]] std::vector<Attempt> finish();

 private:
  static net::Awaitable<> pace(Onlookers* self);

  const double rate_;
  Recorder recorder_;  // outlives what the loop still holds
  net::EventLoop loop_;
  std::vector<std::unique_ptr<Device>> devices_;
  bool stop_ = false;
};

}  // namespace hongyan::checker
