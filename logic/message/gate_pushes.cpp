#include "logic/message/gate_pushes.h"

#include <algorithm>
#include <span>

namespace hongyan::logic {

void GatePushes::add(const Session& session, Slot slot, std::int64_t seq) {
  auto gate = std::ranges::find(gates_, session.gate, &OfGate::gate);
  if (gate == gates_.end()) {
    gate =
        gates_.insert(gate, {.gate = session.gate, .slot = slot, .channels = {}, .seqs = {}, .sessions = {}});
  }
  gate->channels.push_back(session.channel);
  gate->seqs.push_back(seq);
  gate->sessions.push_back(session.number);
}

void GatePushes::send(const ThreadContext& context, std::uint32_t cmd_id, std::string_view body,
                      std::uint32_t seq_field, const std::function<void(std::uint64_t)>& lost) const {
  for (const OfGate& to : gates_) {
    for (std::size_t begin = 0; begin < to.channels.size(); begin += kChannels) {
      const std::size_t count = std::min(kChannels, to.channels.size() - begin);
      PushSeqs seqs;
      if (seq_field != 0) {
        seqs = {.of_channels = std::span(to.seqs).subspan(begin, count), .field = seq_field};
      }
      const auto channels = std::span(to.channels).subspan(begin, count);
      if (to.gate->push(to.slot, cmd_id, channels, body, seqs)) {
        context.counters.pushed.add(count);
      } else {
        for (const std::uint64_t session : std::span(to.sessions).subspan(begin, count)) lost(session);
      }
    }
  }
}

}  // namespace hongyan::logic
