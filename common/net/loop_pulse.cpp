#include "common/net/loop_pulse.h"

#include <mutex>
#include <set>
#include <utility>

namespace hongyan::net {

namespace {

struct Roll {
  std::mutex mutex;
  std::set<LoopPulse*> pulses;
};

Roll& roll() {
  static Roll all;
  return all;
}

}  // namespace

LoopPulse::LoopPulse(std::string name, asio::io_context& context)
    : name_(std::move(name)), context_(context) {
  const std::lock_guard lock(roll().mutex);
  roll().pulses.insert(this);
}

LoopPulse::~LoopPulse() {
  const std::lock_guard lock(roll().mutex);
  roll().pulses.erase(this);
}

bool LoopPulse::ask() {
  if (!running_) return false;
  if (!answered_->exchange(false)) return true;
  asio::post(context_, [answered = answered_] { *answered = true; });
  return false;
}

std::vector<std::string> LoopPulse::silent() {
  std::vector<std::string> names;
  const std::lock_guard lock(roll().mutex);
  for (LoopPulse* pulse : roll().pulses) {
    if (pulse->ask()) names.push_back(pulse->name_);
  }
  return names;
}

}  // namespace hongyan::net
