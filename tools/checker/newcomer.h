// A device that logs in again and again with nothing in its hands: it pulls from the start, hears of what
// comes meanwhile, and goes.
#pragma once

#include <cstdint>
#include <memory>

#include "tools/checker/device.h"
#include "tools/checker/plan.h"

namespace hongyan::checker {

struct NewcomerFigures {
  std::uint64_t logins = 0;  // that got as far as a whole pull
  std::uint64_t pushed = 0;  // messages delivered after it
  std::uint64_t holes = 0;   // the client library delivered another seq than the next
};

// Lives on its loop, longer than run().
class Newcomer {
 public:
  Newcomer(net::EventLoop& loop, Recorder& recorder, DeviceOptions options);

  // Comes and goes until stop(); ended() then.
  net::Awaitable<> run();
  void stop() noexcept { stopping_ = true; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] const NewcomerFigures& figures() const noexcept { return figures_; }

 private:
  void delivered(std::int64_t seq);

  net::EventLoop& loop_;
  Recorder& recorder_;
  const DeviceOptions options_;
  Dice dice_;
  NewcomerFigures figures_;
  std::unique_ptr<Device> device_;
  std::int64_t last_ = 0;
  std::uint64_t pushed_ = 0;  // of this login
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace hongyan::checker
