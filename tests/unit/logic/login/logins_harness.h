// Logins of bob on the pipeline, for tests: at two gates, and what came of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {

class LoginsHarness : public PipelineHarness {
 protected:
  LoginsHarness() { acquire(); }

  // Logs bob in; the login epoch.
  std::uint64_t log_in(std::uint64_t channel, std::string_view device_id = "d",
                       std::string_view token = "good", const std::shared_ptr<FakeGate>& gate = nullptr) {
    const std::uint32_t seq = next_seq_++;
    login(seq, "bob", channel, 1, device_id, token, gate);
    settle();
    const auto& at = gate ? gate : gate_;
    const auto* answer = at->answer(seq);
    if (answer->confirm) tell(at, session_of("bob", channel, answer->login_epoch, device_id), false);
    return answer->login_epoch;
  }
  // Logs bob in at a gate that has not told yet whether the client is there; the login epoch.
  std::uint64_t begin_login(std::uint64_t channel, std::string_view device_id,
                            const std::shared_ptr<FakeGate>& gate) {
    const std::uint32_t seq = next_seq_++;
    login(seq, "bob", channel, 1, device_id, "good", gate);
    settle();
    return gate->answer(seq)->login_epoch;
  }
  void close(const FakeGate& gate, std::uint64_t channel) { thread_of("bob").session_closed(gate, channel); }
  [[nodiscard]] std::vector<std::string> event_names() const {
    std::vector<std::string> out;
    for (const auto& event : events_.all) {
      out.push_back(event.kind == Event::Kind::kLogin ? "login" : std::string(event.reason));
    }
    return out;
  }
  [[nodiscard]] Session* session() {
    User* user = thread_of("bob").context().users.find("demo", "bob");
    return user == nullptr || user->sessions.empty() ? nullptr : user->sessions.front().get();
  }
  // Channels kicked at the gate and the reasons; -1: silently.
  [[nodiscard]] static std::vector<std::pair<std::uint64_t, int>> kicks(const FakeGate& gate) {
    std::vector<std::pair<std::uint64_t, int>> out;
    for (const auto& [channel, body] : gate.kicks) {
      client::Kickout kickout;
      EXPECT_TRUE(kickout.ParseFromString(body));
      out.emplace_back(channel, body.empty() ? -1 : kickout.reason());
    }
    return out;
  }
  using Kicks = std::vector<std::pair<std::uint64_t, int>>;

  std::shared_ptr<FakeGate> other_ = std::make_shared<FakeGate>("gate-2", 88);
  std::uint32_t next_seq_ = 1000;
};

}  // namespace hongyan::logic
