// What happens to users, told to business services: the port to Kafka, without Kafka.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/msg_id.h"
#include "logic/store/message.h"

namespace hongyan::logic {

struct Event {
  enum class Kind : std::uint8_t {
    kLogin,
    kLogout,       // the session is over, for whatever reason
    kStored,       // a message of the user is durable; no session is named
    kUndelivered,  // a push that the device did not acknowledge, the resend included
  };
  Kind kind = Kind::kLogin;
  MsgId id = 0;  // of the event
  std::int64_t time_ms = 0;
  std::string app_id{};
  std::string uid{};
  std::uint64_t session_id = 0;  // as AuthResp told it; of a login, its logout and what was undelivered
  std::uint32_t device_type = 0;
  std::string device_id{};
  std::string gate{};
  std::string_view reason{};  // kLogout: one of docs/protocol.md; static storage
  std::int64_t seq = 0;       // kUndelivered: in the user's inbox; kStored: in the outbox
  Message message{};          // kStored: without content; kUndelivered: its id only
};

// Takes events. Any thread; never blocks, never fails: what does not fit is dropped and counted.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void publish(Event event) = 0;
};

}  // namespace hongyan::logic
