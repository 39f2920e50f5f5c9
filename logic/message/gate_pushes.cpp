#include "logic/message/gate_pushes.h"

#include <algorithm>
#include <span>

namespace hongyan::logic {

GatePushes::OfGate& GatePushes::of(const GatePortPtr& gate, Slot slot) {
  const std::size_t number = gate->number();
  if (number >= places_.size()) places_.resize(number + 1);
  std::uint32_t& place = places_[number];
  if (place < used_ && gates_[place].gate == gate) return gates_[place];
  if (used_ == gates_.size()) gates_.emplace_back();
  place = static_cast<std::uint32_t>(used_++);
  OfGate& added = gates_[place];
  added.gate = gate;
  added.slot = slot;
  return added;
}

void GatePushes::add(const Session& session, Slot slot, std::int64_t seq) {
  OfGate& to = of(session.gate, slot);
  to.channels.push_back(session.channel);
  to.seqs.push_back(seq);
  to.sessions.push_back(session.number);
  ++count_;
}

void GatePushes::send(PipelineCounters& counters, std::uint32_t cmd_id, std::string_view body,
                      std::uint32_t seq_field, const std::function<void(std::uint64_t)>& lost) {
  for (const OfGate& to : std::span(gates_).first(used_)) {
    for (std::size_t begin = 0; begin < to.channels.size(); begin += kChannels) {
      const std::size_t count = std::min(kChannels, to.channels.size() - begin);
      PushSeqs seqs;
      if (seq_field != 0) {
        seqs = {.of_channels = std::span(to.seqs).subspan(begin, count), .field = seq_field};
      }
      const auto channels = std::span(to.channels).subspan(begin, count);
      if (to.gate->push(to.slot, cmd_id, channels, body, seqs)) {
        counters.pushed.add(count);
      } else {
        for (const std::uint64_t session : std::span(to.sessions).subspan(begin, count)) lost(session);
      }
    }
  }
  clear();
}

void GatePushes::clear() {
  if (count_ > kMostKept) gates_.clear();
  for (OfGate& one : std::span(gates_).first(std::min(used_, gates_.size()))) {
    one.gate.reset();
    one.channels.clear();
    one.seqs.clear();
    one.sessions.clear();
  }
  used_ = count_ = 0;
}

}  // namespace hongyan::logic
