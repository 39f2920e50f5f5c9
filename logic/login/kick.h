// How a session is told that it must end.
#pragma once

#include <cstdint>
#include <string_view>

#include "logic/user/thread_context.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// The gate sends the Kickout and closes. False: its link is closed or full.
bool kick_channel(ThreadContext& context, const GatePortPtr& gate, std::uint64_t channel,
                  client::KickReason reason, std::string_view message);
// The same, and the reason is noted for the logout event.
bool kick_session(ThreadContext& context, Session& session, client::KickReason reason,
                  std::string_view message);
// A later login took its place. same_device: silently, as a phone that changed networks replaces itself.
void kick_older(ThreadContext& context, const GatePortPtr& gate, std::uint64_t channel, bool same_device);
// The reason of the logout event of a session that kick_older() ends. Static storage.
[[nodiscard]] std::string_view reason_of_older(bool same_device) noexcept;
[[nodiscard]] bool is_same_device(const Session& session, std::string_view device_id) noexcept;

}  // namespace hongyan::logic
