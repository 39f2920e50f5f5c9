#include "tools/checker/audit.h"

#include <algorithm>

namespace hongyan::checker {

namespace {
constexpr std::size_t kAtOnce = 32;
}  // namespace

Audit::Audit(net::EventLoop& loop, Recorder& recorder, std::vector<DeviceOptions> whom)
    : loop_(loop), recorder_(recorder), waiting_(std::move(whom)) {}

bool Audit::step() {
  std::erase_if(running_, [](const auto& device) { return device->synced(); });
  while (!waiting_.empty() && running_.size() < kAtOnce) {
    running_.push_back(std::make_unique<Device>(loop_, recorder_, std::move(waiting_.back())));
    waiting_.pop_back();
    running_.back()->start();
  }
  return !running_.empty();
}

std::size_t Audit::give_up() {
  const std::size_t left = running_.size() + waiting_.size();
  running_.clear();
  waiting_.clear();
  return left;
}

}  // namespace hongyan::checker
