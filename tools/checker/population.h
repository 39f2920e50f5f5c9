// The users of a run.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/checker/device.h"
#include "tools/checker/newcomer.h"
#include "tools/checker/plan.h"
#include "tools/checker/race.h"
#include "tools/support/cluster.h"

namespace hongyan::checker {

struct PopulationOptions {
  std::size_t users = 0;
  std::size_t devices = 1;    // of a user, at most
  std::size_t racers = 0;     // users whose first device has a rival
  bool races_alone = false;   // see Race
  std::size_t newcomers = 0;  // users who have one
  std::uint64_t seed = 0;
  std::string app = {};
  std::vector<Carrier> carriers = {};  // devices take them in turn
};

// Lives on one loop, but for its construction.
class Population {
 public:
  // tokens: one for each user, by the names of uids().
  Population(net::EventLoop& loop, Recorder& recorder, const PopulationOptions& options,
             std::vector<std::string> uids, std::vector<std::string> tokens);

  void start();
  void start_races();
  void stop_races();
  [[nodiscard]] bool races_ended() const;
  [[nodiscard]] RaceFigures race_figures() const;
  void start_newcomers();
  void stop_newcomers();
  [[nodiscard]] bool newcomers_ended() const;
  [[nodiscard]] NewcomerFigures newcomer_figures() const;

  void send(const PlannedSend& send);
  // The same to a group, and changes of groups; done: by the last attempt.
  void send_to_group(const PlannedGroupSend& send);
  void change_group(std::size_t user, client::GroupRequest request, const std::string& id,
                    std::function<void(const Result<client::SendReceipt>&)> done);
  [[nodiscard]] const std::string& uid(std::size_t user) const { return users_[user].uid; }
  // No more resends by the users themselves.
  void settle() noexcept { settling_ = true; }
  [[nodiscard]] std::size_t pending() const noexcept { return pending_; }
  // From every user to the next one; the number not acknowledged falls as answers come.
  void probe();
  [[nodiscard]] std::size_t unserved() const noexcept { return unserved_; }

  // Of a race the loser does not count.
  [[nodiscard]] std::size_t offline() const;
  // A line for each device that is not online: who, and why.
  [[nodiscard]] std::string offline_reasons() const;
  // Devices online that have not heard of all that was acknowledged (audited: that is stored).
  [[nodiscard]] std::size_t behind(bool audited) const;
  void note_online();
  // Drops every client.
  void leave() { users_.clear(); }

  // Whoever is to pull from the start: an auditor for every user beside its devices, or in the place of every
  // device.
  [[nodiscard]] std::vector<DeviceOptions> auditors(bool in_place) const;

 private:
  struct User {
    std::string uid;
    std::vector<std::unique_ptr<Device>> devices;
    std::unique_ptr<Device> rival;
    std::unique_ptr<Race> race;
    std::unique_ptr<Newcomer> newcomer;
  };

  using Done = std::function<void(const Result<client::SendReceipt>&)>;
  // One attempt of a user, from one of its devices; it ends with a call of the function.
  using Transmit = std::function<void(client::Client&, Done)>;

  void transmit(std::size_t user, std::size_t device, const Transmit& by, int more, bool again,
                const Done& done);
  void each_device(const std::function<void(const User&, const Device&)>& see) const;

  net::EventLoop& loop_;
  Recorder& recorder_;
  std::vector<User> users_;
  std::size_t pending_ = 0;
  std::size_t unserved_ = 0;
  bool settling_ = false;
};

}  // namespace hongyan::checker
