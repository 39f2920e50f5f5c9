// Who is connected to an HTTP server, by address.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <vector>

#include "common/net/network.h"

namespace hongyan::http {

// Counts connections in all and by address (IPv6: by /64, which is what one customer has), and makes room for a new one
// by ending the one that has been idle longest: of its own address when that has too many, of any when the server is
// full. So an address that opens many connections pushes out its own, and who just keeps one open is no harm.
// One loop.
class Crowd {
 public:
  struct Limits {
    std::size_t total = 1024;
    std::size_t by_address = 0;  // 0: no limit
    std::vector<net::Network> exempt = {};
  };
  explicit Crowd(Limits limits) : limits_(std::move(limits)) {}

  // A connection's. It begins idle. Stays where it is until left; outlived by the crowd.
  class Seat {
   public:
    // end: ends the connection, at once; called when it has to make room. It has left then.
    explicit Seat(std::function<void()> end) : end_(std::move(end)) {}
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   private:
    friend class Crowd;
    using Idle = std::list<Seat*>;
    std::function<void()> end_;
    net::asio::ip::address address_;
    bool seated_ = false;
    bool idle_ = false;
    Idle::iterator in_all_;
    Idle::iterator in_address_;
  };

  // False: there is no room, and nobody is idle.
  [[nodiscard]] bool enter(Seat& seat, const net::asio::ip::address& address);
  // Does nothing when it has left.
  void leave(Seat& seat);
  // Between two requests, and before the first has come; else it is busy and stays.
  void set_idle(Seat& seat, bool idle);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Address {
    std::size_t connections = 0;
    Seat::Idle idle;  // the longest first
  };
  bool end_longest(Seat::Idle& idle);

  const Limits limits_;
  std::size_t size_ = 0;
  Seat::Idle idle_;
  std::map<net::asio::ip::address, Address> addresses_;
};

}  // namespace hongyan::http
