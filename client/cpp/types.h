// What users of the client library see: messages, receipts, options, states.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/endpoint.h"
#include "common/base/result.h"
#include "common/protocol/ids.h"
#include "proto/client.pb.h"

namespace hongyan::client {

// "Error" alone is the wire's message of that name in this namespace.
using hongyan::Code;
using Failure = hongyan::Error;

// The version that this client writes into every packet header.
inline constexpr std::uint32_t kClientVersion = 200;
// The largest body a server may send (docs/protocol.md).
inline constexpr std::size_t kMaxServerBodyBytes = 1 << 20;

// A message as it was received: by a push or by a pull, each exactly once and in the order of seq; those of a
// large group in the order of group_seq.
struct Message {
  Command kind = COMMAND_C2C_SEND;  // C2C_SEND, C2G_SEND, S2C or CTRL_SEND (client/cpp/group.h reads it)
  std::string from{};
  std::string to{};           // of sent messages and of ctrl messages; else empty
  std::int64_t group_id = 0;  // 0: not of a group
  std::string content{};      // any bytes
  std::int64_t msg_id = 0;
  std::int64_t time_ms = 0;    // since 1970, by the server
  std::int64_t seq = 0;        // in the inbox; for `sent` in the outbox; 0: not stored, or of a large group
  std::int64_t group_seq = 0;  // in its group, for all members alike
  std::int32_t msg_type = 0;   // of a ctrl message: its CtrlType
  std::string client_msg_id{};
  std::vector<std::string> mentions{};  // uids
  bool sent = false;                    // this user sent it to a user or service, from another device
  // A group message that this client sent: a group's messages come to their sender too, because only there
  // they have the order that all members see. SendReceipt has the same msg_id.
  bool own = false;
};

struct SendReceipt {
  std::int64_t msg_id = 0;
  std::int64_t time_ms = 0;
  std::int64_t outbox_seq = 0;
  std::string client_msg_id{};
  int attempts = 0;       // packets written for it; above 1: resent
  GroupOpResult group{};  // of a group operation: its answer
};

struct SendOptions {
  std::string client_msg_id{};  // empty: a new random one. 1 to 64 bytes, never used by this user before
  std::int32_t msg_type = 0;
  std::optional<Milliseconds>
      deadline{};  // for the whole of it, resends included; absent: the client's default
};

// group_id to group_seq.
using GroupSeqs = std::map<std::int64_t, std::int64_t>;

// What this device holds: every message up to here was delivered to the user of the library.
struct HeldSeqs {
  std::int64_t inbox = 0;
  std::int64_t outbox = 0;

  bool operator==(const HeldSeqs&) const = default;
};

enum class State : std::uint8_t {
  kStopped,     // not started, stopped, kicked for good or refused: nothing happens by itself
  kWaiting,     // for the next attempt to connect
  kConnecting,  // until AUTH is answered
  kOnline,      // authenticated; the pull that follows may still run
};
[[nodiscard]] std::string_view to_string(State state) noexcept;

struct Kick {
  KickReason reason = KICK_REASON_OTHER_LOGIN;
  std::string message{};
  Milliseconds reconnect_after{0};
  bool will_reconnect = false;
};

// Everything that the protocol logic needs to know; see ClientOptions (client/cpp/client.h) for the rest.
struct CoreOptions {
  std::string app_id{protocol::kDefaultApp};
  std::string uid{};
  std::string device_id{};
  DeviceType device_type = DEVICE_TYPE_LINUX;
  std::uint32_t client_version = kClientVersion;

  // Where to go on. Absent: see backlog.
  std::optional<std::int64_t> held_inbox{};
  std::optional<std::int64_t> held_outbox{};
  // Of large groups; what is missing here begins where the server says this device class stands.
  GroupSeqs held_groups{};
  // With nothing held: begin so many messages before the inbox's and the outbox's end; 0: at what the server
  // says this device class acknowledged last, and at the outbox's end.
  std::int64_t backlog = 0;
  // Whether messages that this user sends from other devices are delivered too.
  bool receive_sent = false;
  // Messages a page, 1 to 200, at most: how many are asked for follows what the link carries.
  std::int32_t pull_limit = 200;

  // A conversation's next message waits for the answer to the one before: a refused one would lose its place.
  bool strict_order = true;
  // Sends not yet answered; beyond either limit send() fails at once with kUnavailable.
  std::size_t max_pending = 1024;
  std::size_t max_pending_bytes = 8 << 20;
  // The server's max_body_bytes: it closes the connection on larger packets, so they are refused here, as
  // kTooLarge.
  std::size_t max_body_bytes = 64 << 10;
  Milliseconds send_deadline{30'000};

  // A request without answer for so long is sent again; when nothing at all came meanwhile, the connection is
  // dead. What a slow link needs for the bytes on their way is added (client/cpp/pace.h).
  Milliseconds request_timeout{8'000};
  // A session that ends is followed by another after a random time up to this, because whatever ended it may
  // have ended those of thousands of clients; 0: at once.
  Milliseconds reconnect_spread{1'000};
  // Between attempts to connect: doubled at each, with jitter (half to the whole), first again after success.
  Milliseconds backoff_min{100};
  Milliseconds backoff_max{10'000};
  // A refused token is worth another try, because tokens come from a callback.
  bool token_renewable = false;
};

}  // namespace hongyan::client
