#include "tools/checker/onlookers.h"

#include <algorithm>

#include "tools/checker/on_loop.h"

namespace hongyan::checker {

namespace {
constexpr std::chrono::milliseconds kPace{2};
constexpr std::string_view kContent = "how long does this take?";
}  // namespace

Onlookers::Onlookers(const OnlookersOptions& options) : rate_(options.rate), loop_("onlookers") {
  loop_.start();
  on_loop(loop_, [&] {
    for (std::size_t i = 0; i < options.uids.size(); ++i) {
      devices_.push_back(
          std::make_unique<Device>(loop_, recorder_,
                                   DeviceOptions{.seat = {.uid = options.uids[i], .device = "device-0"},
                                                 .app = options.app,
                                                 .token = options.tokens[i],
                                                 .carrier = options.carrier,
                                                 .seed = options.seed + i}));
      devices_.back()->start();
    }
  });
}

Onlookers::~Onlookers() { static_cast<void>(finish()); }

bool Onlookers::online() {
  return on_loop(
      loop_, [this] { return std::ranges::all_of(devices_, [](const auto& one) { return one->online(); }); });
}

void Onlookers::begin() { loop_.spawn("onlookers", pace(this)); }

net::Awaitable<> Onlookers::pace(Onlookers* self) {
  const auto& devices = self->devices_;
  const Micros start = now_micros();
  for (std::uint64_t sent = 0; !self->stop_;) {
    const auto due =
        static_cast<std::uint64_t>(static_cast<double>(now_micros() - start) * self->rate_ / 1e6);
    for (; sent < due; ++sent) {
      const auto& receiver = devices[(sent + 1 + sent / devices.size()) % devices.size()];
      devices[sent % devices.size()]->client().send(receiver->options().seat.uid, std::string(kContent), {},
                                                    [](const Result<client::SendReceipt>&) {});
    }
    co_await net::sleep_for(kPace);
  }
}

std::vector<Attempt> Onlookers::finish() {
  if (devices_.empty()) return {};
  on_loop(loop_, [this] {
    stop_ = true;
    devices_.clear();
  });
  loop_.stop();
  loop_.join();
  return std::move(recorder_.history().attempts);
}

}  // namespace hongyan::checker
