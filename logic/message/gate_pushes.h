// One body for many sessions: a packet a gate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "logic/user/counters.h"
#include "logic/user/session.h"

namespace hongyan::logic {

// The sessions that are to get one body, by gate; used again for the next body, in the same memory. One
// thread.
class GatePushes {
 public:
  // seq: added to the body for this session, when send() names its field.
  void add(const Session& session, Slot slot, std::int64_t seq = 0);
  // Sends, at most kChannels a packet, and begins anew. seq_field 0: the body as it is. lost: for each
  // session, by its number, whose link is gone or full; its gate announces it again, or drops it.
  void send(PipelineCounters& counters, std::uint32_t cmd_id, std::string_view body, std::uint32_t seq_field,
            const std::function<void(std::uint64_t session)>& lost);

 private:
  static constexpr std::size_t kChannels = 1024;
  // The memory for more sessions of one body than that is not kept.
  static constexpr std::size_t kMostKept = 4 << 10;
  struct OfGate {
    GatePortPtr gate;
    Slot slot = 0;
    std::vector<std::uint64_t> channels;
    std::vector<std::int64_t> seqs;
    std::vector<std::uint64_t> sessions;  // numbers
  };
  [[nodiscard]] OfGate& of(const GatePortPtr& gate, Slot slot);
  void clear();

  std::vector<OfGate> gates_;  // the first used_ of them; the others wait to be used again
  std::vector<std::uint32_t>
      places_;  // in gates_, by GatePort::number(); of no meaning where another gate stands
  std::size_t used_ = 0;
  std::size_t count_ = 0;  // of sessions
};

}  // namespace hongyan::logic
