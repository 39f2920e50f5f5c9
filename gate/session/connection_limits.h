// How many connections there may be, in all and from one address.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "common/net/asio.h"

namespace hongyan::gate {

// Shared by all loops. Any thread; asked only when a connection opens or closes.
class ConnectionLimits {
 public:
  // by_address 0: no limit by address.
  ConnectionLimits(std::uint32_t total, std::uint32_t by_address) : total_(total), by_address_(by_address) {}

  enum class Admission : std::uint8_t { kAdmitted, kTooMany, kTooManyFromAddress };
  [[nodiscard]] Admission admit(const net::asio::ip::address& address);
  // Once for each that was admitted.
  void release(const net::asio::ip::address& address);

  [[nodiscard]] std::uint32_t open() const;

 private:
  [[nodiscard]] static std::string key_of(const net::asio::ip::address& address);

  const std::uint32_t total_;
  const std::uint32_t by_address_;
  mutable std::mutex mutex_;
  std::uint32_t open_ = 0;
  std::unordered_map<std::string, std::uint32_t> addresses_;
};

}  // namespace hongyan::gate
