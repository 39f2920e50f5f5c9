#include "gate/session/intake.h"

#include <algorithm>
#include <utility>

namespace hongyan::gate {

Intake::Intake(const SessionOptions& options, SteadyTime now) noexcept
    : options_(options),
      decoder_(options.max_body_before_login),
      requests_(now),
      packets_(now),
      bytes_(now),
      now_(now),
      packets_per_second_(options.packets_per_second_before_login > 0
                              ? options.packets_per_second_before_login
                              : options.packets_per_second) {}

void Intake::logged_in() noexcept {
  decoder_.set_max_body_bytes(options_.max_body_bytes);
  packets_ = TokenBucket(now_);
  packets_per_second_ = options_.packets_per_second;
}

void Intake::feed(std::string_view bytes, SteadyTime now) {
  now_ = now;
  requests_.spend(0, options_.requests_per_second, now);
  decoder_.feed(bytes);
}

std::expected<const net::Packet*, net::PacketError> Intake::next() {
  if (held_back_ || requests_.wait_ms(options_.requests_per_second) > 0) {
    held_ += decoder_.take_rest();
    return nullptr;
  }
  const auto next = decoder_.next();
  if (next && *next == nullptr) decoder_.keep();
  return next;
}

Milliseconds Intake::pause(SteadyTime now) {
  const double rate = options_.requests_per_second;
  if (requests_.wait_ms(rate) == 0) return Milliseconds(0);
  requests_.spend(0, rate, now);
  const Milliseconds wait(requests_.wait_ms(rate));
  return wait.count() == 0 ? wait : std::clamp(wait, kShortestPause, kLongestPause);
}

std::string Intake::take_held() noexcept { return std::exchange(held_, {}); }

bool Intake::within_rate(std::size_t body_bytes) noexcept {
  const bool few = packets_.take(1, packets_per_second_, now_);
  const bool small = bytes_.take(static_cast<double>(net::kHeaderSize + body_bytes),
                                 static_cast<double>(options_.bytes_per_second), now_);
  return few && small;
}

std::uint32_t Intake::wait_ms() const noexcept {
  return std::max(packets_.wait_ms(packets_per_second_),
                  bytes_.wait_ms(static_cast<double>(options_.bytes_per_second)));
}

bool Intake::excessive() noexcept {
  if (now_ - excess_last_ >= std::chrono::seconds(1)) {
    excess_since_ = now_;
    excess_packets_ = 0;
  }
  excess_last_ = now_;
  ++excess_packets_;
  const double seconds = std::chrono::duration<double>(options_.rate_grace).count();
  const bool many = packets_per_second_ > 0 && excess_packets_ > packets_per_second_ * seconds;
  return many || now_ - excess_since_ >= options_.rate_grace;
}

void Intake::request_began(std::size_t body_bytes) noexcept {
  requests_.spend(1, options_.requests_per_second, now_);
  ++in_flight_;
  in_flight_bytes_ += body_bytes;
}

void Intake::request_done(std::size_t body_bytes) noexcept {
  if (in_flight_ > 0) --in_flight_;
  in_flight_bytes_ -= std::min(in_flight_bytes_, body_bytes);
}

bool Intake::full() const noexcept {
  return in_flight_ >= options_.max_in_flight || in_flight_bytes_ >= options_.max_in_flight_bytes;
}

}  // namespace hongyan::gate
