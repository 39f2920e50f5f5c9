// Who may connect: limits of all clients together, and by address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/net/network.h"
#include "gate/session/admission_options.h"
#include "gate/session/counters.h"

namespace hongyan::gate {

// Shared by all loops of the gate. Any thread; asked when a connection comes, begins its handshake, logs in and
// ends, never for a packet. Remembers an address while it has connections, and then until nothing of it counts
// any more, or max_addresses others were seen since. The clock is the caller's. Outlives its places.
class Admission {
 private:
  struct Address;

 public:
  // by_address 0: no limit of open connections by address.
  Admission(const AdmissionOptions& options, std::uint32_t total, std::uint32_t by_address);

  // What one connection takes; given back when it is destroyed. One thread at a time.
  class Place {
   public:
    Place() = default;  // takes nothing, and may anything
    Place(Place&& other) noexcept { swap(other); }
    Place& operator=(Place&& other) noexcept {
      Place(std::move(other)).swap(*this);
      return *this;
    }
    ~Place();

    // Set: why it may not; it is to be closed.
    [[nodiscard]] std::optional<Refusal> begin_handshake(SteadyTime now);
    void end_handshake();
    // False: too many logins of this address were refused lately.
    [[nodiscard]] bool begin_login(SteadyTime now);
    void end_login(bool refused, SteadyTime now);
    // From now on it does not count among those that have yet to log in.
    void logged_in();

   private:
    friend class Admission;
    Place(Admission& admission, Address& address) : admission_(&admission), address_(&address) {}
    void swap(Place& other) noexcept;

    Admission* admission_ = nullptr;
    Address* address_ = nullptr;
    bool pending_ = true;
    bool in_handshake_ = false;
    bool in_login_ = false;
  };

  // Or why not.
  [[nodiscard]] std::expected<Place, Refusal> admit(const net::asio::ip::address& address, SteadyTime now);

  // What a login that may not begin is told to wait.
  [[nodiscard]] std::uint32_t retry_ms() const;

  [[nodiscard]] std::uint32_t open() const;
  // The most that were open at once since this was last asked.
  [[nodiscard]] std::uint32_t take_peak();
  // Addresses that are remembered.
  [[nodiscard]] std::size_t addresses() const;

 private:
  // How much came lately: grows with each, and shrinks by the rate.
  class Meter {
   public:
    // Counts one more when that stays within the burst. A rate of 0: always.
    [[nodiscard]] bool add(double rate, double burst, SteadyTime now);
    [[nodiscard]] double level(double rate, SteadyTime now);
    void count(double rate, SteadyTime now) { level_ = level(rate, now) + 1; }

   private:
    double level_ = 0;
    SteadyTime last_{};
  };
  struct Address {
    Meter connections;
    Meter handshakes;
    Meter refused_logins;
    std::uint32_t open = 0;
    std::uint32_t pending = 0;
    std::uint32_t in_handshake = 0;
    std::uint32_t in_login = 0;
    bool exempt = false;
    const net::asio::ip::address* key = nullptr;  // in addresses_
    std::list<Address*>::iterator place;          // in busy_ or idle_
  };
  struct Hash {
    std::size_t operator()(const net::asio::ip::address& address) const noexcept;
  };

  [[nodiscard]] net::asio::ip::address key_of(const net::asio::ip::address& address) const;
  [[nodiscard]] std::optional<Refusal> refusal_of(Address& of, SteadyTime now) const;
  // The mutex is held.
  [[nodiscard]] Address& remember(const net::asio::ip::address& address);
  void forget(SteadyTime now);
  [[nodiscard]] bool counts(Address& address, SteadyTime now) const;

  const AdmissionOptions options_;
  const std::uint32_t total_;
  const std::uint32_t by_address_;
  const std::vector<net::Network> exempt_;
  mutable std::mutex mutex_;
  std::uint32_t open_ = 0;
  std::uint32_t peak_ = 0;
  std::uint32_t pending_ = 0;
  std::uint32_t in_handshake_ = 0;
  std::unordered_map<net::asio::ip::address, Address, Hash> addresses_;
  std::list<Address*> busy_;  // with connections
  std::list<Address*> idle_;  // without; the one seen last at the end
};

}  // namespace hongyan::gate
