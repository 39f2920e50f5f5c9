#include "tools/checker/population.h"

#include <algorithm>
#include <array>

namespace hongyan::checker {

namespace {

constexpr Milliseconds kSendDeadline{20'000};
constexpr Milliseconds kProbeDeadline{30'000};
constexpr int kMoreTries = 2;  // by the user, after the client library has given up
constexpr std::array kTypes = {client::DEVICE_TYPE_LINUX, client::DEVICE_TYPE_ANDROID,
                               client::DEVICE_TYPE_WEB};

}  // namespace

Population::Population(net::EventLoop& loop, Recorder& recorder, const PopulationOptions& options,
                       std::vector<std::string> uids, std::vector<std::string> tokens)
    : loop_(loop), recorder_(recorder) {
  Dice dice(options.seed);
  std::size_t next_carrier = 0;
  for (std::size_t i = 0; i < options.users; ++i) {
    User user{.uid = uids[i], .devices = {}, .rival = {}, .race = {}, .newcomer = {}};
    const std::size_t count = 1 + dice.below(options.devices);
    const auto options_of = [&](const std::string& name, client::DeviceType type) {
      return DeviceOptions{.seat = {.uid = user.uid, .device = name},
                           .app = options.app,
                           .token = tokens[i],
                           .type = type,
                           .carrier = options.carriers[next_carrier++ % options.carriers.size()],
                           .seed = dice.below(1ULL << 40)};
    };
    const auto make = [&](const std::string& name, client::DeviceType type) {
      return std::make_unique<Device>(loop, recorder, options_of(name, type));
    };
    for (std::size_t d = 0; d < count; ++d)
      user.devices.push_back(make("device-" + std::to_string(d), kTypes[d % kTypes.size()]));
    if (i < options.racers) {
      user.rival = make("rival", kTypes[0]);
      user.race =
          std::make_unique<Race>(*user.devices[0], *user.rival, dice.below(1ULL << 40), options.races_alone);
    }
    if (i < options.newcomers) {
      auto newcomer = options_of("newcomer", client::DEVICE_TYPE_UNKNOWN);
      newcomer.from_start = true;
      user.newcomer = std::make_unique<Newcomer>(loop, recorder, std::move(newcomer));
    }
    users_.push_back(std::move(user));
  }
}

void Population::start() {
  for (auto& user : users_) {
    for (auto& device : user.devices) device->start();
  }
}

void Population::start_races() {
  for (auto& user : users_) {
    if (user.race) loop_.spawn("race", user.race->run());
  }
}

void Population::stop_races() {
  for (auto& user : users_) {
    if (user.race) user.race->stop();
  }
}

bool Population::races_ended() const {
  for (const auto& user : users_) {
    if (user.race && !user.race->ended()) return false;
  }
  return true;
}

RaceFigures Population::race_figures() const {
  RaceFigures sum;
  for (const auto& user : users_) {
    if (!user.race) continue;
    sum.rounds += user.race->figures().rounds;
    sum.together += user.race->figures().together;
    sum.unsettled += user.race->figures().unsettled;
  }
  return sum;
}

void Population::start_newcomers() {
  for (auto& user : users_) {
    if (user.newcomer) loop_.spawn("newcomer", user.newcomer->run());
  }
}

void Population::stop_newcomers() {
  for (auto& user : users_) {
    if (user.newcomer) user.newcomer->stop();
  }
}

bool Population::newcomers_ended() const {
  return std::ranges::all_of(users_,
                             [](const User& user) { return !user.newcomer || user.newcomer->ended(); });
}

NewcomerFigures Population::newcomer_figures() const {
  NewcomerFigures sum;
  for (const auto& user : users_) {
    if (!user.newcomer) continue;
    sum.logins += user.newcomer->figures().logins;
    sum.pushed += user.newcomer->figures().pushed;
    sum.holes += user.newcomer->figures().holes;
  }
  return sum;
}

void Population::send(const PlannedSend& send) {
  const auto by = [to = users_[send.receiver].uid, id = send.client_msg_id, content = send.content](
                      client::Client& client, Done done) {
    client.send(to, content, {.client_msg_id = id, .deadline = kSendDeadline}, std::move(done));
  };
  transmit(send.sender, send.device, by, kMoreTries, send.again, {});
}

void Population::send_to_group(const PlannedGroupSend& send) {
  const auto by = [group_id = send.group_id, id = send.client_msg_id, content = send.content](
                      client::Client& client, Done done) {
    client.send_to_group({.group_id = group_id, .content = content},
                         {.client_msg_id = id, .deadline = kSendDeadline}, std::move(done));
  };
  transmit(send.sender, send.device, by, kMoreTries, send.again, {});
}

void Population::change_group(std::size_t user, client::GroupRequest request, const std::string& id,
                              Done done) {
  const auto by = [request = std::move(request), id](client::Client& client, Done ended) {
    client.group(request, {.client_msg_id = id, .deadline = kSendDeadline}, std::move(ended));
  };
  transmit(user, 0, by, kMoreTries, /*again=*/false, done);
}

void Population::transmit(std::size_t user, std::size_t device, const Transmit& by, int more, bool again,
                          const Done& done) {
  ++pending_;
  auto& devices = users_[user].devices;
  by(devices[device % devices.size()]->client(), [=, this](const Result<client::SendReceipt>& receipt) {
    --pending_;
    const bool once_more = receipt ? again : more > 0 && receipt.error().code == Code::kDeadlineExceeded;
    if (once_more && !settling_) {
      transmit(user, device + 1, by, more - 1, false, done);
    } else if (done) {
      done(receipt);
    }
  });
}

void Population::probe() {
  for (std::size_t i = 0; i < users_.size(); ++i) {
    auto& user = users_[i];
    Device& device = user.rival && user.rival->online() ? *user.rival : *user.devices[0];
    ++unserved_;
    device.client().send(
        users_[(i + 1) % users_.size()].uid, "after healing",
        {.client_msg_id = "probe", .deadline = kProbeDeadline},
        [this](const Result<client::SendReceipt>& receipt) { unserved_ -= receipt ? 1 : 0; });
  }
}

void Population::each_device(const std::function<void(const User&, const Device&)>& see) const {
  for (const auto& user : users_) {
    for (const auto& device : user.devices) see(user, *device);
    if (user.rival) see(user, *user.rival);
  }
}

std::size_t Population::offline() const {
  std::size_t count = 0;
  for (const auto& user : users_) {
    for (std::size_t d = 0; d < user.devices.size(); ++d) {
      const bool raced = d == 0 && user.race && user.rival->online();
      count += user.devices[d]->online() || raced ? 0 : 1;
    }
  }
  return count;
}

std::string Population::offline_reasons() const {
  std::string out;
  each_device([&](const User& user, const Device& device) {
    if (!device.online()) out += user.uid + " on " + device.name() + ": " + device.last_failure() + "\n";
  });
  return out;
}

std::size_t Population::behind(bool audited) const {
  std::size_t count = 0;
  each_device([&](const User& user, const Device& device) {
    if (!device.online()) return;
    const auto wanted = audited ? recorder_.inbox_of(user.uid) : recorder_.acknowledged_to(user.uid);
    const bool groups = !audited || recorder_.told_of_groups(user.uid, device.name());
    count += !groups || recorder_.told(user.uid, device.name()) < wanted ? 1 : 0;
  });
  return count;
}

void Population::note_online() {
  each_device([&](const User& user, const Device& device) {
    if (!device.online()) return;
    recorder_.history().online.push_back(
        {.uid = user.uid, .device = device.name(), .since = recorder_.online_since(user.uid, device.name())});
  });
}

std::vector<DeviceOptions> Population::auditors(bool in_place) const {
  std::vector<DeviceOptions> out;
  for (const auto& user : users_) {
    for (const auto& device : user.devices) {
      auto options = device->options();
      options.seat.auditor = true;
      if (!in_place) {
        options.seat.device = kNewDevice;
        options.type = client::DEVICE_TYPE_MINI_PROGRAM;
      }
      out.push_back(std::move(options));
      if (!in_place) break;
    }
  }
  return out;
}

}  // namespace hongyan::checker
