#include "common/net/deadline.h"

namespace hongyan::net {

namespace {
constexpr Milliseconds kRepeat{50};
}  // namespace

struct Deadline::State {
  State(Executor executor, std::function<void()> callback)
      : timer(executor), on_expiry(std::move(callback)) {}

  Timer timer;
  std::function<void()> on_expiry;
  std::uint64_t generation = 0;  // of arm() and disarm(): an older wait is void
  bool expired = false;
};

Deadline::Deadline(Executor executor, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(executor, std::move(on_expiry))) {}

Deadline::~Deadline() { disarm(); }

void Deadline::arm(Milliseconds limit) {
  state_->expired = false;
  state_->timer.expires_after(limit);
  wait(state_, ++state_->generation);
}

void Deadline::disarm() {
  ++state_->generation;
  state_->timer.cancel();
}

bool Deadline::expired() const noexcept { return state_->expired; }

void Deadline::wait(const std::shared_ptr<State>& state, std::uint64_t generation) {
  state->timer.async_wait([weak = std::weak_ptr(state), generation](error_code) {
    const auto alive = weak.lock();
    if (!alive || alive->generation != generation) return;
    alive->expired = true;
    alive->on_expiry();
    if (alive->generation != generation) return;
    alive->timer.expires_after(kRepeat);
    wait(alive, generation);
  });
}

}  // namespace hongyan::net
