#include "common/http/crowd.h"

namespace hongyan::http {

namespace {

constexpr unsigned kIpv4Bits = 32;
constexpr unsigned kIpv6Bits = 64;

}  // namespace

bool Crowd::end_longest(Seat::Idle& idle) {
  if (idle.empty()) return false;
  Seat& seat = *idle.front();
  leave(seat);
  seat.end_();
  return true;
}

bool Crowd::enter(Seat& seat, const net::asio::ip::address& address) {
  const auto plain = net::plain(address);
  seat.address_ = net::masked(plain, plain.is_v4() ? kIpv4Bits : kIpv6Bits);
  if (limits_.by_address > 0 && !net::contains(limits_.exempt, plain)) {
    const auto known = addresses_.find(seat.address_);
    const bool too_many = known != addresses_.end() && known->second.connections >= limits_.by_address;
    if (too_many && !end_longest(known->second.idle)) return false;
  }
  if (size_ >= limits_.total && !end_longest(idle_)) return false;
  ++addresses_[seat.address_].connections;
  ++size_;
  seat.seated_ = true;
  set_idle(seat, true);
  return true;
}

void Crowd::leave(Seat& seat) {
  if (!seat.seated_) return;
  set_idle(seat, false);
  seat.seated_ = false;
  --size_;
  const auto known = addresses_.find(seat.address_);
  if (--known->second.connections == 0) addresses_.erase(known);
}

void Crowd::set_idle(Seat& seat, bool idle) {
  if (!seat.seated_ || seat.idle_ == idle) return;
  Address& address = addresses_.at(seat.address_);
  seat.idle_ = idle;
  if (idle) {
    seat.in_all_ = idle_.insert(idle_.end(), &seat);
    seat.in_address_ = address.idle.insert(address.idle.end(), &seat);
  } else {
    idle_.erase(seat.in_all_);
    address.idle.erase(seat.in_address_);
  }
}

}  // namespace hongyan::http
