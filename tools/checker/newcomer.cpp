#include "tools/checker/newcomer.h"

namespace hongyan::checker {

namespace {
constexpr std::chrono::milliseconds kLook{2};
constexpr Micros kStay = 200'000;  // at least, unless in a hurry
constexpr Micros kLongestStay = 1'000'000;
constexpr std::uint64_t kHurry = 20'000;
constexpr double kInAHurry = 0.2;  // gone in the middle of a login or a pull
}  // namespace

Newcomer::Newcomer(net::EventLoop& loop, Recorder& recorder, DeviceOptions options)
    : loop_(loop), recorder_(recorder), options_(std::move(options)), dice_(options_.seed) {}

net::Awaitable<> Newcomer::run() {
  while (!stopping_) {
    last_ = 0;
    pushed_ = 0;
    device_ = std::make_unique<Device>(loop_, recorder_, options_,
                                       [this](const client::Message& message) { delivered(message.seq); });
    device_->start();
    const Micros begun = now_micros();
    const bool hurry = dice_.chance(kInAHurry);
    const Micros least = hurry ? static_cast<Micros>(dice_.below(kHurry)) : kStay;
    const auto gone = [&] {
      const Micros stayed = now_micros() - begun;
      return stayed > kLongestStay || (stayed > least && (hurry || pushed_ > 0));
    };
    do {
      co_await net::sleep_for(kLook);
    } while (!stopping_ && !gone());
    figures_.logins += device_->synced() ? 1 : 0;
    figures_.pushed += pushed_;
    if (dice_.chance(0.3)) co_await device_->client().stop();
    device_.reset();
  }
  ended_ = true;
}

void Newcomer::delivered(std::int64_t seq) {
  figures_.holes += seq == last_ + 1 ? 0 : 1;
  last_ = seq;
  pushed_ += device_->synced() ? 1 : 0;
}

}  // namespace hongyan::checker
