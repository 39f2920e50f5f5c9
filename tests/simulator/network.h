// What carries packets between processes: in order, late, and not at all while it is cut.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulator/process.h"
#include "tests/simulator/world.h"

namespace hongyan::simulator {

class Pipe;

// Which ways are cut, each direction for itself. Ends are named: "node 1", "gate 2", "shard 0".
class Network {
 public:
  explicit Network(World& world) : world_(world) {}
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  void cut(const std::string& from, const std::string& to) { cut_.insert({from, to}); }
  void heal(const std::string& from, const std::string& to);
  [[nodiscard]] bool is_cut(const std::string& from, const std::string& to) const {
    return cut_.contains({from, to});
  }
  [[nodiscard]] Micros delay() { return world_.between(Micros(60), most_delay_); }
  void set_most_delay(Micros most) { most_delay_ = most; }
  [[nodiscard]] World& world() const noexcept { return world_; }

 private:
  friend class Pipe;
  World& world_;
  std::set<std::pair<std::string, std::string>> cut_;
  std::vector<std::weak_ptr<Pipe>> pipes_;
  Micros most_delay_{1200};
};

// One direction of a connection: what is sent arrives in order. While the way is cut it waits in the sockets, as TCP
// has it.
class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  // target: what arrives is done by this process; null: by nobody that stands still or dies.
  [[nodiscard]] static std::shared_ptr<Pipe> make(Network& network, std::string from, std::string to,
                                                  std::shared_ptr<Process> target);

  void send(std::function<void()> what);
  // Nothing arrives before that.
  void hold_until(SteadyTime time) { not_before_ = time; }
  // What has not arrived is lost.
  void close();

 private:
  friend class Network;
  Pipe(Network& network, std::string from, std::string to, std::shared_ptr<Process> target)
      : network_(network), from_(std::move(from)), to_(std::move(to)), target_(std::move(target)) {}
  void arrive();
  void deliver();
  void healed();

  Network& network_;
  const std::string from_;
  const std::string to_;
  const std::shared_ptr<Process> target_;
  std::deque<std::function<void()>> under_way_;
  std::size_t waiting_ = 0;       // for the way to be healed
  std::shared_ptr<Pipe> itself_;  // while something waits: what is in the sockets outlives who sent it
  SteadyTime last_{};
  SteadyTime not_before_{};
  bool closed_ = false;
};

}  // namespace hongyan::simulator
