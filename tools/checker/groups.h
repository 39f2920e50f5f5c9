// The groups of a run: who is in them, who sends to them, who comes and goes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/checker/plan.h"
#include "tools/checker/population.h"

namespace hongyan::checker {

struct GroupsOptions {
  std::size_t groups = 0;
  std::size_t members = 50;  // who may be in one of them, owner included
  std::size_t large_groups = 0;
  std::size_t large_members = 600;
  // Large groups begin with so many, below the threshold of the servers, and all of theirs join soon.
  std::size_t large_begin = 480;
  double rate = 10;        // messages a second, of all groups together
  double change_rate = 2;  // joins and leaves a second
  std::uint64_t seed = 0;
};

// Lives on the loop of its population, which outlives it. What it believes of members may be wrong: some who
// are not in a group send to it and are refused.
class Groups {
 public:
  // users: how many there are, at least as many as the largest group takes.
  Groups(const GroupsOptions& options, Population& population, std::size_t users);

  // Everybody is online. made() once all were made; failed() when one could not be.
  void make();
  [[nodiscard]] bool made() const noexcept { return made_ == groups_.size(); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  // What is due after so much time of traffic.
  void act(Micros elapsed);

  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }

 private:
  struct Group {
    std::int64_t id = 0;
    std::vector<std::size_t> pool = {};  // users; the first is the owner
    std::vector<bool> in = {};           // by place in the pool
    bool growing = false;                // becomes large; until all are in
    bool busy = false;                   // a change is under way
  };

  void send();
  void change();
  void join(Group& group);
  void leave(Group& group);
  void submit(Group& group, std::size_t actor, client::GroupRequest request, std::vector<std::size_t> places,
              bool in);
  // A random place other than the owner's where in[] is so; 0: there is none.
  [[nodiscard]] std::size_t place(const Group& group, bool in);

  const GroupsOptions options_;
  Population& population_;
  Dice dice_;
  std::vector<Group> groups_;
  std::size_t made_ = 0;
  bool failed_ = false;
  std::uint64_t messages_ = 0;
  std::uint64_t changes_ = 0;
};

}  // namespace hongyan::checker
