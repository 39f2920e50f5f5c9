// A device that has logged in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/device_class.h"
#include "logic/store/message.h"
#include "logic/user/gate_port.h"

namespace hongyan::logic {

// A push that the device has not acknowledged yet.
struct UnackedPush {
  std::int64_t seq = 0;
  MsgId msg_id = 0;
  std::uint32_t cmd_id = 0;
  SharedBytes body;             // null: not kept, the resend is a SYNC_NOTIFY
  std::uint32_t seq_field = 0;  // not 0: the body goes with the seq in this field
};

// A logged-in device.
struct Session {
  std::uint64_t number = 0;  // of this thread, never reused: for timers that outlive the session
  DeviceClass device_class = DeviceClass::kUnknown;
  std::uint32_t device_type = 0;
  std::string device_id;
  std::uint64_t channel = 0;
  std::uint64_t login_epoch = 0;
  std::int64_t expires_ms = 0;  // its token, ms since 1970; 0: not known
  GatePortPtr gate;
  std::int64_t last_active_ms = 0;
  std::deque<UnackedPush> unacked;  // by seq
  std::unordered_map<std::int64_t, std::int64_t>
      group_pushes;              // of large groups: the last one pushed, until due
  bool behind = false;           // pushes were left out (window full, link full): tell it to pull
  bool owes_ack = false;         // resent in vain: tell it to pull at its next sign of life
  std::uint64_t push_round = 0;  // Pusher: the gathered pushes of this round have one for this session,
  std::size_t push_place = 0;    // at this place at last
  std::string_view end_reason;   // why it is about to end, once it was kicked; static storage
  bool told = false;             // its login was told as an event
  // The session in whose place this one is, while the gate has not said that the client of this one is there.
  std::unique_ptr<Session> replaced;

  // What AuthResp told the client.
  [[nodiscard]] std::uint64_t id() const noexcept { return login_epoch ^ (channel << 16); }
};

}  // namespace hongyan::logic
