#include "gate/session/admission.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace hongyan::gate {

bool Admission::Meter::add(double rate, double burst, SteadyTime now) {
  if (rate <= 0) return true;
  if (level(rate, now) + 1 > burst) return false;
  ++level_;
  return true;
}

double Admission::Meter::level(double rate, SteadyTime now) {
  const double seconds = std::chrono::duration<double>(now - last_).count();
  if (seconds > 0) {
    level_ = std::max(0.0, level_ - seconds * rate);
    last_ = now;
  }
  return level_;
}

std::size_t Admission::Hash::operator()(const net::asio::ip::address& address) const noexcept {
  // 64-bit halves, mixed as splitmix64 does.
  const auto mix = [](std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  };
  if (address.is_v4()) return mix(address.to_v4().to_uint());
  std::array<std::uint64_t, 2> halves;
  const auto bytes = address.to_v6().to_bytes();
  std::memcpy(halves.data(), bytes.data(), bytes.size());
  return mix(halves[0] + 0x9e3779b97f4a7c15ULL * mix(halves[1]));
}

Admission::Admission(const AdmissionOptions& options, std::uint32_t total, std::uint32_t by_address)
    : options_(options),
      total_(total),
      by_address_(by_address),
      exempt_(net::parse_networks(options.exempt)) {}

net::asio::ip::address Admission::key_of(const net::asio::ip::address& address) const {
  // A socket that listens on both takes clients of IPv4 as addresses of IPv6.
  const auto plain = net::plain(address);
  return net::masked(plain, plain.is_v4() ? options_.ipv4_prefix : options_.ipv6_prefix);
}

std::expected<Admission::Place, Refusal> Admission::admit(const net::asio::ip::address& address,
                                                          SteadyTime now) {
  const std::lock_guard lock(mutex_);
  forget(now);
  if (open_ >= total_) return std::unexpected(Refusal::kTooManyConnections);
  if (pending_ >= options_.max_pending) return std::unexpected(Refusal::kTooManyPending);
  Address& of = remember(address);
  if (const auto refused = refusal_of(of, now)) return std::unexpected(*refused);
  if (of.open++ == 0) busy_.splice(busy_.end(), idle_, of.place);
  ++of.pending;
  peak_ = std::max(peak_, ++open_);
  ++pending_;
  return Place(*this, of);
}

std::optional<Refusal> Admission::refusal_of(Address& of, SteadyTime now) const {
  if (of.exempt) return std::nullopt;
  if (by_address_ > 0 && of.open >= by_address_) return Refusal::kTooManyFromAddress;
  if (options_.max_pending_per_address > 0 && of.pending >= options_.max_pending_per_address) {
    return Refusal::kTooManyPendingFromAddress;
  }
  if (!of.connections.add(options_.connections_per_second, options_.connection_burst, now)) {
    return Refusal::kConnectRate;
  }
  return std::nullopt;
}

Admission::Address& Admission::remember(const net::asio::ip::address& address) {
  const auto [it, added] = addresses_.try_emplace(key_of(address));
  Address& of = it->second;
  if (added) {
    of.exempt = net::contains(exempt_, address);
    of.key = &it->first;
    of.place = idle_.insert(idle_.end(), &of);
  } else if (of.open == 0) {
    idle_.splice(idle_.end(), idle_, of.place);
  }
  return of;
}

bool Admission::counts(Address& address, SteadyTime now) const {
  return address.connections.level(options_.connections_per_second, now) > 0 ||
         address.handshakes.level(options_.handshakes_per_second, now) > 0 ||
         address.refused_logins.level(options_.refused_logins_per_second, now) > 0;
}

// Two for each that may be added, so that what is remembered shrinks as fast as it grew.
void Admission::forget(SteadyTime now) {
  for (int i = 0; i < 2 && !idle_.empty(); ++i) {
    Address& oldest = *idle_.front();
    if (idle_.size() < options_.max_addresses && counts(oldest, now)) return;
    idle_.pop_front();
    addresses_.erase(*oldest.key);
  }
}

std::uint32_t Admission::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

std::uint32_t Admission::take_peak() {
  const std::lock_guard lock(mutex_);
  return std::exchange(peak_, open_);
}

std::size_t Admission::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_.size();
}

void Admission::Place::swap(Place& other) noexcept {
  std::swap(admission_, other.admission_);
  std::swap(address_, other.address_);
  std::swap(pending_, other.pending_);
  std::swap(in_handshake_, other.in_handshake_);
  std::swap(in_login_, other.in_login_);
}

Admission::Place::~Place() {
  if (admission_ == nullptr) return;
  Admission& of = *admission_;
  const std::lock_guard lock(of.mutex_);
  if (in_handshake_) {
    --address_->in_handshake;
    --of.in_handshake_;
  }
  if (in_login_) --address_->in_login;
  if (pending_) {
    --address_->pending;
    --of.pending_;
  }
  --of.open_;
  if (--address_->open == 0) of.idle_.splice(of.idle_.end(), of.busy_, address_->place);
}

std::optional<Refusal> Admission::Place::begin_handshake(SteadyTime now) {
  if (admission_ == nullptr) return std::nullopt;
  Admission& of = *admission_;
  const AdmissionOptions& options = of.options_;
  const std::lock_guard lock(of.mutex_);
  if (of.in_handshake_ >= options.max_handshakes) return Refusal::kTooManyHandshakes;
  if (!address_->exempt) {
    if (options.max_handshakes_per_address > 0 &&
        address_->in_handshake >= options.max_handshakes_per_address) {
      return Refusal::kTooManyHandshakesFromAddress;
    }
    if (!address_->handshakes.add(options.handshakes_per_second, options.handshake_burst, now)) {
      return Refusal::kHandshakeRate;
    }
  }
  ++address_->in_handshake;
  ++of.in_handshake_;
  in_handshake_ = true;
  return std::nullopt;
}

void Admission::Place::end_handshake() {
  if (admission_ == nullptr) return;
  const std::lock_guard lock(admission_->mutex_);
  if (!std::exchange(in_handshake_, false)) return;
  --address_->in_handshake;
  --admission_->in_handshake_;
}

bool Admission::Place::begin_login(SteadyTime now) {
  if (admission_ == nullptr) return true;
  const AdmissionOptions& options = admission_->options_;
  const std::lock_guard lock(admission_->mutex_);
  if (options.refused_logins_per_second > 0) {
    const double refused = address_->refused_logins.level(options.refused_logins_per_second, now);
    const double burst = options.refused_login_burst;
    // While few were refused, any number may be under way; then each might be refused, too.
    if (refused > burst / 2 && refused + address_->in_login + 1 > burst) return false;
  }
  ++address_->in_login;
  in_login_ = true;
  return true;
}

void Admission::Place::end_login(bool refused, SteadyTime now) {
  if (admission_ == nullptr) return;
  const AdmissionOptions& options = admission_->options_;
  const std::lock_guard lock(admission_->mutex_);
  if (!std::exchange(in_login_, false)) return;
  --address_->in_login;
  if (refused && options.refused_logins_per_second > 0) {
    address_->refused_logins.count(options.refused_logins_per_second, now);
  }
}

std::uint32_t Admission::retry_ms() const {
  const double rate = options_.refused_logins_per_second;
  return rate <= 0 ? 0 : static_cast<std::uint32_t>(std::clamp(1000 / rate, 100.0, 60'000.0));
}

void Admission::Place::logged_in() {
  if (admission_ == nullptr) return;
  const std::lock_guard lock(admission_->mutex_);
  if (!std::exchange(pending_, false)) return;
  --address_->pending;
  --admission_->pending_;
}

}  // namespace hongyan::gate
