#include "tools/checker/device.h"

#include "tools/checker/plan.h"

namespace hongyan::checker {

namespace {

// An auditor that asked twice would see rows twice.
constexpr Milliseconds kAuditorPatience{60'000};
constexpr Milliseconds kPatience{6'000};  // above kSilence, which would be hidden
constexpr Milliseconds kLongestBackoff{2'000};

client::ClientOptions client_options(const DeviceOptions& options, Recorder& recorder) {
  client::ClientOptions out;
  out.uid = options.seat.uid;
  out.app_id = options.app;
  out.token = options.token;
  out.device_id = options.seat.device;
  out.device_type = options.type;
  out.gates = options.carrier.gates;
  out.request_timeout = options.seat.auditor ? kAuditorPatience : kPatience;
  out.backoff_max = kLongestBackoff;
  out.random = [dice = std::make_shared<Dice>(options.seed)] { return dice->fraction(); };
  out.transport = recorder.tap(options.seat, options.carrier.transports);
  if (options.seat.auditor) {
    out.held_inbox = 0;
    out.held_outbox = 0;
    out.receive_sent = true;
  }
  if (options.from_start) out.held_inbox = 0;
  return out;
}

}  // namespace

Device::Device(net::EventLoop& loop, Recorder& recorder, DeviceOptions options,
               std::function<void(const client::Message&)> on_message)
    : options_(std::move(options)) {
  client::Handlers handlers;
  handlers.on_message = std::move(on_message);
  handlers.on_state = [this](client::State state, const client::Failure& failure) {
    state_ = state;
    if (failure.code != Code::kOk)
      last_failure_ = std::string(code_name(failure.code)) + " " + failure.message;
  };
  handlers.on_synced = [this] { synced_ = true; };
  handlers.on_kicked = [this](const client::Kick& kick) {
    if (kick.reason == client::KICK_REASON_OTHER_LOGIN) ++kicks_;
  };
  client_ = std::make_unique<client::Client>(client_options(options_, recorder), std::move(handlers), loop);
}

}  // namespace hongyan::checker
