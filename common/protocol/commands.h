// Every command of the protocol and of the server API: the one list of what there is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/client.pb.h"
#include "proto/internal.pb.h"

namespace hongyan::protocol {

// What a packet with this cmd_id is, and so what a gate does with one of a client.
enum class Kind : std::uint8_t {
  kUnknown,
  kAuth,
  kRequest,    // forwarded to the owner of the user, who answers
  kPush,       // from the server; a client's is its acknowledgement: forwarded, not answered
  kNotice,     // from the server, never acknowledged
  kKickout,    // from the server; a client may answer it empty
  kNoop,       // answered by the gate
  kIgnored,    // Mars' signal keep
  kInternal,   // of the server API to the owner of a slot; never on a client's connection
  kNotServed,  // a request that is documented and not served yet: UNKNOWN_COMMAND, by the gate
};

// Which part of logic takes what a gate, or the server API, hands on.
enum class Part : std::uint8_t {
  kNone,
  kLogin,
  kMessages,  // those to users
  kGroups,    // messages to groups, and their commands
  kUploads,
  kPull,
  kPushes,  // their acknowledgements
  kServerCalls,
};

struct Command {
  std::uint32_t number;
  std::string_view name;
  Kind kind;
  Part part = Part::kNone;
  bool is_send = false;  // stores something: one that a lost owner may have carried out has no known outcome
  bool before_login = false;  // allowed until AUTH has succeeded
};

inline constexpr auto kCommands = std::to_array<Command>({
    {client::COMMAND_AUTH, "AUTH", Kind::kAuth, Part::kLogin, false, true},
    {client::COMMAND_LOGOUT, "LOGOUT", Kind::kRequest, Part::kLogin},
    {client::COMMAND_KICKOUT, "KICKOUT", Kind::kKickout},
    {client::COMMAND_NOOP, "NOOP", Kind::kNoop, Part::kNone, false, true},
    {client::COMMAND_C2S, "C2S", Kind::kRequest, Part::kUploads, true},
    {client::COMMAND_S2C, "S2C", Kind::kPush, Part::kPushes},
    {client::COMMAND_C2C_SEND, "C2C_SEND", Kind::kRequest, Part::kMessages, true},
    {client::COMMAND_C2C_PUSH, "C2C_PUSH", Kind::kPush, Part::kPushes},
    {client::COMMAND_C2G_SEND, "C2G_SEND", Kind::kRequest, Part::kGroups, true},
    {client::COMMAND_C2G_PUSH, "C2G_PUSH", Kind::kPush, Part::kPushes},
    {client::COMMAND_PULL, "PULL", Kind::kRequest, Part::kPull},
    {client::COMMAND_SYNC_NOTIFY, "SYNC_NOTIFY", Kind::kNotice},
    {client::COMMAND_SENT_PUSH, "SENT_PUSH", Kind::kPush, Part::kPushes},
    {client::COMMAND_CTRL_SEND, "CTRL_SEND", Kind::kRequest, Part::kGroups, true},
    {client::COMMAND_CTRL_PUSH, "CTRL_PUSH", Kind::kPush, Part::kPushes},
    {client::COMMAND_PRESENCE, "PRESENCE", Kind::kNotServed},
    {client::COMMAND_PRESENCE_PUSH, "PRESENCE_PUSH", Kind::kNotice},
    {client::COMMAND_SIGNAL_KEEP, "SIGNAL_KEEP", Kind::kIgnored, Part::kNone, false, true},
    {internal::COMMAND_S2C_STORE, "S2C_STORE", Kind::kInternal, Part::kServerCalls, true},
    {internal::COMMAND_S2C_PUSH, "S2C_PUSH", Kind::kInternal, Part::kServerCalls, true},
    {internal::COMMAND_PRESENCE, "PRESENCE", Kind::kInternal, Part::kServerCalls},
    {internal::COMMAND_KICK, "KICK", Kind::kInternal, Part::kServerCalls, true},
    {internal::COMMAND_ONLINE, "ONLINE", Kind::kInternal, Part::kServerCalls},
    {internal::COMMAND_CTRL, "CTRL", Kind::kInternal, Part::kServerCalls, true},
    {internal::COMMAND_GROUP, "GROUP", Kind::kInternal, Part::kServerCalls},
    {internal::COMMAND_USER, "USER", Kind::kInternal, Part::kServerCalls},
    {internal::COMMAND_REGISTER, "REGISTER", Kind::kInternal, Part::kServerCalls, true},
    {internal::COMMAND_BAN, "BAN", Kind::kInternal, Part::kServerCalls, true},
});

namespace detail {
inline constexpr Command kNoCommand{0, "", Kind::kUnknown};
// Places in kCommands by number: the client's from 0, the internal ones after them; 0xFF: none.
inline constexpr std::size_t kClientNumbers = 256;
inline constexpr std::size_t kInternalNumbers = 16;
inline constexpr auto kPlaces = [] {
  std::array<std::uint8_t, kClientNumbers + kInternalNumbers> places{};
  places.fill(0xFF);
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    const Command& command = kCommands[i];
    const std::size_t base = command.kind == Kind::kInternal ? kClientNumbers - internal::COMMAND_FIRST : 0;
    places.at(base + command.number) = static_cast<std::uint8_t>(i);
  }
  return places;
}();
}  // namespace detail

// Of a number without a command: one of kind kUnknown. For every packet: two loads.
[[nodiscard]] constexpr const Command& command(std::uint32_t number) noexcept {
  std::size_t place = number;
  if (number >= detail::kClientNumbers) {
    if (number - internal::COMMAND_FIRST >= detail::kInternalNumbers) return detail::kNoCommand;
    place = number - internal::COMMAND_FIRST + detail::kClientNumbers;
  }
  const std::uint8_t at = detail::kPlaces[place];
  return at == 0xFF ? detail::kNoCommand : kCommands[at];
}

// A change of a group, or a question about one: by a member, or by a service.
[[nodiscard]] constexpr bool is_group_command(std::uint32_t number) noexcept {
  return number == client::COMMAND_CTRL_SEND || number == internal::COMMAND_CTRL;
}
// Goes to a group's slot: its commands, and messages to it.
[[nodiscard]] constexpr bool is_for_group(std::uint32_t number) noexcept {
  return number == client::COMMAND_C2G_SEND || is_group_command(number);
}

}  // namespace hongyan::protocol
