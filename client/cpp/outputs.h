// What the protocol logic wants done, in order. The driver (client/cpp/driver.h) does it; tests look at it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "client/cpp/types.h"

namespace hongyan::client {

using SendId = std::uint64_t;

namespace output {
struct Connect {};  // get a token, choose a gate, connect; answer with connected() or disconnected()
struct Close {};    // drop the connection, or the attempt; not answered
struct Write {
  std::string bytes;  // whole packets
};
struct StateChanged {
  State state;
  Failure reason;  // kOk when nothing is wrong
};
struct Deliver {
  Message message;
};
struct HeldMoved {
  HeldSeqs held;
};
struct GroupHeldMoved {  // of a large group
  std::int64_t group_id;
  std::int64_t held;
};
struct Kicked {
  Kick kick;
};
struct Synced {};  // the pull that follows AUTH, or that was asked for, has come to the end
struct SendDone {
  SendId id;
  Result<SendReceipt> result;
};
}  // namespace output

using Output =
    std::variant<output::Connect, output::Close, output::Write, output::StateChanged, output::Deliver,
                 output::HeldMoved, output::GroupHeldMoved, output::Kicked, output::Synced, output::SendDone>;

// Collects outputs and numbers requests. A write comes after what was put before it: what a PushAck
// acknowledges was delivered and its HeldMoved was seen.
class Outputs {
 public:
  explicit Outputs(std::uint32_t client_version) noexcept : client_version_(client_version) {}

  void put(Output output) { list_.push_back(std::move(output)); }

  // Writes one packet; returns its seq, which is never 0.
  std::uint32_t write(Command command, std::string_view body);

  [[nodiscard]] std::vector<Output> take() { return std::exchange(list_, {}); }
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }

 private:
  const std::uint32_t client_version_;
  std::uint32_t last_seq_ = 0;
  std::vector<Output> list_;
};

}  // namespace hongyan::client
