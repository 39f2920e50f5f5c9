#include "logic/user/app_rules.h"

#include <cstdint>

#include "common/config/schema.h"

namespace hongyan::logic {

namespace {

constexpr std::int64_t kMostBytes = std::int64_t{64} << 30;

void bind_rate(config::Schema& schema, const std::string& name, ByteRate& rate, const std::string& what) {
  schema.bytes("user_" + name + "_per_second", rate.per_second, what + " Bytes a second. 0: no limit.")
      .range(0, kMostBytes);
  schema.bytes("user_" + name + "_burst", rate.burst, "The same at once, after a while without any.")
      .range(1 << 10, kMostBytes);
}

}  // namespace

std::optional<Invite> parse_invite(std::string_view name) noexcept {
  if (name == "members") return Invite::kMembers;
  if (name == "owner") return Invite::kOwner;
  if (name == "consent") return Invite::kConsent;
  return {};
}

void bind(config::Schema& schema, AppRules& rules) {
  schema.value("group_invite", rules.group_invite,
               "Who of a group may add others: \"members\"; \"owner\", alone; \"consent\": members, but who "
               "is added is "
               "invited, and joins by itself. Services always add.");
  schema.check("group_invite", [&rules] {
    return std::string(parse_invite(rules.group_invite) ? ""
                                                        : "is none of \"members\", \"owner\", \"consent\"");
  });
  bind_rate(
      schema, "fan_out", rules.fan_out,
      "What one user's sends and group commands store, the rows of all members counted; past it they are "
      "refused with RATE_LIMITED.");
  bind_rate(schema, "upload", rules.upload, "What one user uploads (C2S); past it RATE_LIMITED.");
  schema.value("user_pulls", rules.pulls, "Pulls of one user under way at once; others wait for them.")
      .range(1, 64);
  bind_rate(schema, "pull", rules.pull, "What one user pulls; past it pulls wait.");
}

}  // namespace hongyan::logic
