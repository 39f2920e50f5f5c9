#include "tests/simulator/network.h"

#include <algorithm>

namespace hongyan::simulator {

Network::~Network() {
  for (const auto& one : pipes_) {
    if (const auto pipe = one.lock()) pipe->close();
  }
}

void Network::heal(const std::string& from, const std::string& to) {
  if (cut_.erase({from, to}) == 0) return;
  std::erase_if(pipes_, [](const auto& pipe) { return pipe.expired(); });
  for (std::size_t i = 0; i < pipes_.size(); ++i) {
    const auto pipe = pipes_[i].lock();
    if (pipe && pipe->from_ == from && pipe->to_ == to) pipe->healed();
  }
}

std::shared_ptr<Pipe> Pipe::make(Network& network, std::string from, std::string to,
                                 std::shared_ptr<Process> target) {
  std::shared_ptr<Pipe> pipe(new Pipe(network, std::move(from), std::move(to), std::move(target)));
  if (network.pipes_.size() > 1000) {
    std::erase_if(network.pipes_, [](const auto& one) { return one.expired(); });
  }
  network.pipes_.push_back(pipe);
  return pipe;
}

void Pipe::send(std::function<void()> what) {
  if (closed_) return;
  under_way_.push_back(std::move(what));
  last_ = std::max({last_, not_before_, network_.world().now() + network_.delay()});
  network_.world().at(last_, [self = shared_from_this()] { self->arrive(); });
}

void Pipe::close() {
  closed_ = true;
  under_way_.clear();
  itself_.reset();
}

void Pipe::arrive() {
  if (closed_) return;
  if (waiting_ > 0 || network_.is_cut(from_, to_)) {
    ++waiting_;
    itself_ = shared_from_this();
  } else {
    deliver();
  }
}

void Pipe::deliver() {
  if (under_way_.empty()) return;
  std::function<void()> what = std::move(under_way_.front());
  under_way_.pop_front();
  if (target_) {
    target_->post(Micros(0), std::move(what));
  } else {
    what();
  }
}

void Pipe::healed() {
  network_.world().after(network_.delay(), [self = shared_from_this()] {
    if (self->network_.is_cut(self->from_, self->to_)) return;
    self->itself_.reset();
    for (; self->waiting_ > 0; --self->waiting_) self->deliver();
  });
}

}  // namespace hongyan::simulator
