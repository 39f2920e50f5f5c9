// One body for many sessions: a packet a gate.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "logic/user/thread_context.h"

namespace hongyan::logic {

// The sessions that are to get one body, by gate. One thread.
class GatePushes {
 public:
  // seq: added to the body for this session, when send() names its field.
  void add(const Session& session, Slot slot, std::int64_t seq = 0);
  // Sends, at most kChannels a packet. seq_field 0: the body as it is. lost: for each session, by its number,
  // whose link is gone or full; its gate announces it again, or drops it.
  void send(const ThreadContext& context, std::uint32_t cmd_id, std::string_view body,
            std::uint32_t seq_field, const std::function<void(std::uint64_t session)>& lost) const;

 private:
  static constexpr std::size_t kChannels = 1024;
  struct OfGate {
    GatePortPtr gate;
    Slot slot = 0;
    std::vector<std::uint64_t> channels;
    std::vector<std::int64_t> seqs;
    std::vector<std::uint64_t> sessions;  // numbers
  };
  std::vector<OfGate> gates_;
};

}  // namespace hongyan::logic
