#include "gate/session/connection_limits.h"

namespace hongyan::gate {

std::string ConnectionLimits::key_of(const net::asio::ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  // A socket that listens on both takes clients of IPv4 as addresses of IPv6.
  if (address.to_v6().is_v4_mapped()) return {bytes.begin() + 12, bytes.end()};
  // One customer usually has a whole /64 of IPv6.
  return {bytes.begin(), bytes.begin() + 8};
}

ConnectionLimits::Admission ConnectionLimits::admit(const net::asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  if (open_ >= total_) return Admission::kTooMany;
  if (by_address_ > 0) {
    auto& count = addresses_[key_of(address)];
    if (count >= by_address_) return Admission::kTooManyFromAddress;
    ++count;
  }
  ++open_;
  return Admission::kAdmitted;
}

void ConnectionLimits::release(const net::asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  --open_;
  if (by_address_ == 0) return;
  const auto it = addresses_.find(key_of(address));
  if (it != addresses_.end() && --it->second == 0) addresses_.erase(it);
}

std::uint32_t ConnectionLimits::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

}  // namespace hongyan::gate
