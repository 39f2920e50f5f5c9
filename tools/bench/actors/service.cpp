#include "tools/bench/actors/service.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "tools/support/text.h"

namespace hongyan::bench {

namespace {

constexpr Milliseconds kRetry{50};

enum class Outcome : std::uint8_t { kStored, kRepeat, kFinal };

Outcome outcome_of_code(const std::string& code) {
  for (const char* known : {"UNAVAILABLE", "RATE_LIMITED", "DEADLINE_EXCEEDED", "INTERNAL"}) {
    if (code == known) return Outcome::kRepeat;
  }
  return Outcome::kFinal;
}

Outcome outcome_of_error(const nlohmann::json& holder) {
  const auto error = holder.find("error");
  if (error == holder.end() || !error->is_object()) return Outcome::kFinal;
  return outcome_of_code(error->value("code", ""));
}

// The worst of all targets.
Outcome outcome_of(int status, const std::string& body, std::size_t targets) {
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Outcome::kFinal;
  if (status != 200) return outcome_of_error(json);
  const auto results = json.find("results");
  if (results == json.end() || !results->is_array() || results->size() != targets) return Outcome::kFinal;
  Outcome worst = Outcome::kStored;
  for (const auto& result : *results) {
    if (!result.is_object()) return Outcome::kFinal;
    const bool stored = result.value("status", "") == "stored" && result.value("msg_id", std::int64_t{0}) > 0;
    if (!stored) worst = std::max(worst, outcome_of_error(result));
  }
  return worst;
}

}  // namespace

Service::Service(Options options, const Content& content, Worker& worker, Shared& shared,
                 std::shared_ptr<HttpCaller> caller, std::vector<User> targets)
    : options_(std::move(options)),
      content_(content),
      worker_(worker),
      shared_(shared),
      caller_(std::move(caller)),
      window_({.size = options_.window, .delivery = true}, shared) {
  const nlohmann::json head = {{"from", options_.from}, {"to", options_.targets}, {"persist", true}};
  prefix_ = head.dump();
  prefix_.back() = ',';
  prefix_ += fmt::format("\"client_msg_id\":\"{}", options_.id);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    auto target =
        std::make_unique<Target>(Target{.check = Check(content, /*delivery=*/true), .receiver = nullptr});
    target->receiver = std::make_unique<Receiver>(
        options_.targets[i], targets[i].login.inbox_seq(), shared, std::move(targets[i].connection),
        [this, to = target.get()](const Delivery& delivery, SteadyTime now) {
          on_delivery(*to, delivery, now);
        });
    targets_.push_back(std::move(target));
  }
}

void Service::start(std::optional<Schedule> schedule) {
  if (schedule) window_.keep_to(*schedule);
  for (auto& target : targets_) target->receiver->start();
  caller_->run([this](int status, const std::string& body) { on_response(status, body); },
               [this](const std::string& why) { shared_.give_up("the API's connection was lost: " + why); });
  send(SteadyClock::now());
}

void Service::close() {
  caller_->close();
  for (auto& target : targets_) target->receiver->close();
}

void Service::send(SteadyTime now) {
  for (auto number = static_cast<std::uint32_t>(undelivered_.size()); window_.begin(number, now); ++number) {
    undelivered_.push_back(static_cast<std::uint32_t>(targets_.size()));
    for (auto& target : targets_) target->check.sent();
    waiting_.push_back(number);
  }
  call_next();
}

void Service::call_next() {
  if (calling_ || waiting_.empty()) return;
  calling_ = true;
  std::string content;
  content_.fill(content, waiting_.front());
  caller_->post(
      fmt::format("{}{}\",\"content_base64\":\"{}\"}}", prefix_, waiting_.front(), base64_encode(content)));
}

void Service::on_response(int status, const std::string& body) {
  const auto now = SteadyClock::now();
  if (!calling_) return shared_.give_up("the API answered what nobody asked");
  const std::uint32_t number = waiting_.front();
  waiting_.pop_front();
  calling_ = false;
  switch (outcome_of(status, body, targets_.size())) {
    case Outcome::kStored:
      for (auto& target : targets_) (void)target->check.acknowledged(number);
      if (window_.acknowledged(number, now)) send(now);
      break;
    case Outcome::kRepeat:
      shared_.refused.fetch_add(1, std::memory_order_relaxed);
      for (auto& target : targets_) target->check.refused(number);
      retry_later(number);
      break;
    case Outcome::kFinal:
      return shared_.give_up(fmt::format("a call was refused: status {} {}", status, tools::printable(body)));
  }
  call_next();
}

// The same client_msg_id: what was stored already is not stored again.
void Service::retry_later(std::uint32_t number) {
  auto timer = std::make_shared<net::Timer>(worker_.loop.executor());
  timer->expires_after(kRetry);
  timer->async_wait([this, timer, number](net::error_code ec) {
    if (ec || shared_.broken) return;
    waiting_.push_back(number);
    call_next();
  });
}

void Service::on_delivery(Target& target, const Delivery& delivery, SteadyTime now) {
  const std::uint32_t number = Content::number_of(delivery.content);
  if (!target.check.delivered(number, delivery.content)) return;
  if (--undelivered_[number] == 0 && window_.delivered(number, now)) send(now);
}

Faults Service::faults() const noexcept {
  Faults faults;
  for (const auto& target : targets_) {
    faults += target->check.faults();
    faults.holes += target->receiver->holes();
  }
  return faults;
}

std::uint64_t Service::delivered() const noexcept {
  std::uint64_t count = 0;
  for (const auto& target : targets_) count += target->check.count_delivered();
  return count;
}

std::uint64_t Service::redelivered() const noexcept {
  std::uint64_t count = 0;
  for (const auto& target : targets_) count += target->receiver->redelivered();
  return count;
}

}  // namespace hongyan::bench
