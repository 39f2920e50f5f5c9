#include "logic/login/kick.h"

namespace hongyan::logic {

namespace {

// "other_login"
std::string_view text_of(client::KickReason reason) noexcept {
  switch (reason) {
    case client::KICK_REASON_OTHER_LOGIN:
      return "other_login";
    case client::KICK_REASON_ADMIN:
      return "admin";
    case client::KICK_REASON_TOKEN_EXPIRED:
      return "token_expired";
    default:
      return "kicked";
  }
}

}  // namespace

bool kick_channel(ThreadContext& context, const GatePortPtr& gate, std::uint64_t channel,
                  client::KickReason reason, std::string_view message) {
  client::Kickout kickout;
  kickout.set_reason(reason);
  kickout.set_message(std::string(message));
  context.counters.kicks.add();
  return gate->kick(channel, kickout.SerializeAsString());
}

bool kick_session(ThreadContext& context, Session& session, client::KickReason reason,
                  std::string_view message) {
  session.end_reason = text_of(reason);
  return kick_channel(context, session.gate, session.channel, reason, message);
}

void kick_older(ThreadContext& context, const GatePortPtr& gate, std::uint64_t channel, bool same_device) {
  if (same_device) {
    static_cast<void>(gate->kick(channel, {}));
  } else {
    kick_channel(context, gate, channel, client::KICK_REASON_OTHER_LOGIN, "logged in on another device");
  }
}

std::string_view reason_of_older(bool same_device) noexcept {
  return same_device ? "replaced" : text_of(client::KICK_REASON_OTHER_LOGIN);
}

bool is_same_device(const Session& session, std::string_view device_id) noexcept {
  return !device_id.empty() && session.device_id == device_id;
}

}  // namespace hongyan::logic
