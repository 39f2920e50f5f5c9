// The way back to a gate: answers, pushes and kicks. An interface, so that the pipeline is tested without
// sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/slot.h"

namespace hongyan::logic {

// What goes back for one forwarded request.
struct GateReply {
  std::uint64_t login_epoch = 0;  // of an AUTH that succeeded
  std::int64_t expires_ms = 0;    // with login_epoch: its token
  bool confirm = false;           // with login_epoch: the gate is to tell of the session at once
  bool refused = false;           // the body carries an error
  bool partly_refused = false;    // the body carries errors within: not final, if the slot has left
  std::string_view body;          // for the client, as it is
};

// What differs between the receivers of one body.
struct PushSeqs {
  std::span<const std::int64_t> of_channels;
  std::uint32_t field = 0;
};

// One link of one of a gate's loops. Any thread; every call only queues.
class GatePort {
 public:
  GatePort(std::string gate_id, std::uint64_t boot_id);
  // Stands in for another, under its number.
  explicit GatePort(const GatePort* other);
  virtual ~GatePort();
  GatePort(const GatePort&) = delete;
  GatePort& operator=(const GatePort&) = delete;

  [[nodiscard]] virtual bool is_open() const noexcept = 0;
  virtual void respond(std::uint32_t seq, const GateReply& reply) = 0;
  // The slot is not (or not yet, or no longer) served here.
  virtual void respond_not_owner(std::uint32_t seq, Slot slot, std::uint64_t slot_epoch) = 0;
  // False: the link is closed or full; the push is lost.
  // slot: the user's; it comes back when the channel is gone.
  // seqs: one a channel, added to the body as its field seqs.field; or none.
  virtual bool push(Slot slot, std::uint32_t cmd_id, std::span<const std::uint64_t> channels,
                    std::string_view body, const PushSeqs& seqs) = 0;
  bool push(Slot slot, std::uint32_t cmd_id, std::span<const std::uint64_t> channels, std::string_view body) {
    return push(slot, cmd_id, channels, body, {});
  }
  // The gate sends the body (a Kickout; none: silently) and closes the channel. False: the link is closed or
  // full.
  virtual bool kick(std::uint64_t channel, std::string_view kickout) = 0;

  [[nodiscard]] const std::string& gate_id() const noexcept { return gate_id_; }
  [[nodiscard]] std::uint64_t boot_id() const noexcept { return boot_id_; }
  // Small, and of no other port that lives: for tables of gates.
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

 private:
  const std::string gate_id_;
  const std::uint64_t boot_id_;
  const std::uint32_t number_;
  const bool gives_number_back_;
};
using GatePortPtr = std::shared_ptr<GatePort>;

// Where the answer of a request goes. seq 0: no answer is wanted.
struct ReplyTo {
  GatePortPtr gate;
  std::uint32_t seq = 0;
  // Under which lease it was taken: a refusal after that has ended is none. Epoch 0: under none.
  Slot slot = 0;
  std::uint64_t slot_epoch = 0;
};

void reply(const ReplyTo& to, std::string_view body);
void reply_error(const ReplyTo& to, const Error& error);

}  // namespace hongyan::logic
