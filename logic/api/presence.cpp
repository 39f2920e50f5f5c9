#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "logic/api/server_api.h"
#include "logic/message/accept.h"
#include "logic/user/device_name.h"
#include "proto/internal.pb.h"

namespace hongyan::logic {

namespace {

constexpr std::int64_t kDefaultPage = 100;
constexpr std::int64_t kLargestPage = 1000;
constexpr std::uint32_t kFirstSlots = 4;  // asked at once; doubled while they hold too few users
constexpr std::uint32_t kMostSlots = 1024;

Json describe(const client::Presence& presence) {
  Json user = {{"online", presence.online()}, {"devices", Json::array()}};
  set_bytes(user, "uid", presence.uid());
  for (const int device : presence.devices())
    user["devices"].push_back(device_name(static_cast<std::uint32_t>(device)));
  if (presence.last_active() > 0) user["last_active"] = presence.last_active();
  return user;
}

Result<Json> described(const Result<std::string>& answer) {
  if (!answer) return std::unexpected(answer.error());
  client::Presence presence;
  if (!presence.ParseFromString(*answer)) return fail(Code::kInternal, "an answer that does not parse");
  return describe(presence);
}

Call presence_call(const std::string& app_id, const std::string& uid) {
  return {.app_id = app_id,
          .uid = uid,
          .slot = slot_of(app_id, uid),
          .command = internal::COMMAND_PRESENCE,
          .body = {}};
}

// A place in the order of all online users: by slot, then by uid. Opaque to callers.
struct Cursor {
  std::uint32_t slot = 0;
  std::string after;  // uid

  [[nodiscard]] std::string text() const {
    std::string out = fmt::format("{:04x}", slot);
    for (const char c : after) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
  }
  static Result<Cursor> parse(std::string_view text) {
    const auto number = [](std::string_view digits) { return parse_number<std::uint32_t>(digits, 16); };
    Cursor cursor;
    const auto slot = text.size() >= 4 ? number(text.substr(0, 4)) : std::nullopt;
    bool good = slot && *slot < kSlotCount && text.size() % 2 == 0 && text.size() <= 4 + 2 * kMaxUid;
    for (std::size_t i = 4; good && i < text.size(); i += 2) {
      const auto byte = number(text.substr(i, 2));
      good = byte.has_value();
      if (good) cursor.after += static_cast<char>(*byte);
    }
    if (!good) return fail(Code::kBadRequest, "after is not what a former page gave as next");
    cursor.slot = *slot;
    return cursor;
  }
};

Result<std::int64_t> page_size(const http::Request& request) {
  const auto text = request.query_value("limit");
  if (!text) return kDefaultPage;
  const auto limit = parse_number<std::int64_t>(*text);
  if (!limit || *limit < 1 || *limit > kLargestPage) {
    return fail(Code::kBadRequest, fmt::format("limit is not within 1 and {}", kLargestPage));
  }
  return *limit;
}

}  // namespace

net::Awaitable<Result<Json>> get_presence(const ApiServices* services, ApiRequest request) {
  const auto uid = uid_of_path(request);
  if (!uid) co_return std::unexpected(uid.error());
  co_return described(co_await services->caller.call(presence_call(request.app_id, *uid)));
}

net::Awaitable<Result<Json>> post_presence(const ApiServices* services, ApiRequest request) {
  const auto body = parse_object(request.http.body, {"uids"});
  if (!body) co_return std::unexpected(body.error());
  const auto uids = read_texts(*body, "uids", services->limits.max_targets);
  if (!uids) co_return std::unexpected(uids.error());
  Json users = Json::array();
  std::vector<Call> calls;
  std::vector<std::size_t> places;
  for (const auto& uid : *uids) {
    users.emplace_back();
    if (const auto ok = check_id(uid, kMaxUid, "uid"); !ok) {
      users.back() = {{"uid", uid}, {"error", error_json(ok.error())}};
      continue;
    }
    places.push_back(users.size() - 1);
    calls.push_back(presence_call(request.app_id, uid));
  }
  const auto answers = co_await services->caller.call_all(std::move(calls));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto one = described(answers[i]);
    users[places[i]] = one ? *one : Json{{"uid", (*uids)[places[i]]}, {"error", error_json(one.error())}};
  }
  co_return Json{{"users", std::move(users)}};
}

// Slots are asked in their order, so that a user who stays online is listed exactly once, whichever nodes and
// threads hold the slots, and while slots move. At most one small request a slot.
net::Awaitable<Result<Json>> get_online(const ApiServices* services, ApiRequest request) {
  const auto limit = page_size(request.http);
  if (!limit) co_return std::unexpected(limit.error());
  auto cursor = Cursor::parse(request.http.query_value("after").value_or("0000"));
  if (!cursor) co_return std::unexpected(cursor.error());
  const auto most = static_cast<std::size_t>(*limit);
  Json users = Json::array();
  for (std::uint32_t width = kFirstSlots; cursor->slot < kSlotCount;
       width = std::min(width * 2, kMostSlots)) {
    const std::uint32_t end = std::min(cursor->slot + width, kSlotCount);
    std::vector<Call> calls;
    for (std::uint32_t slot = cursor->slot; slot < end; ++slot) {
      internal::Online wanted;
      wanted.set_after(calls.empty() ? cursor->after : "");
      wanted.set_limit(static_cast<std::uint32_t>(most - users.size()));
      calls.push_back({.app_id = request.app_id,
                       .uid = {},
                       .slot = static_cast<Slot>(slot),
                       .command = internal::COMMAND_ONLINE,
                       .body = wanted.SerializeAsString()});
    }
    const auto answers = co_await services->caller.call_all(std::move(calls));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      internal::OnlinePage page;
      if (!answers[i]) co_return std::unexpected(answers[i].error());
      if (!page.ParseFromString(*answers[i]))
        co_return fail(Code::kInternal, "an answer that does not parse");
      for (const auto& user : page.users()) {
        users.push_back(describe(user));
        if (users.size() < most) continue;
        const Cursor next{.slot = cursor->slot + static_cast<std::uint32_t>(i), .after = user.uid()};
        co_return Json{{"users", std::move(users)}, {"next", next.text()}};
      }
    }
    *cursor = {.slot = end, .after = {}};
  }
  co_return Json{{"users", std::move(users)}};
}

net::Awaitable<Result<Json>> post_kick(const ApiServices* services, ApiRequest request) {
  const auto uid = uid_of_path(request);
  if (!uid) co_return std::unexpected(uid.error());
  const auto body = parse_object(request.http.body, {"device_type", "reason"});
  if (!body) co_return std::unexpected(body.error());
  internal::Kick kick;
  if (body->contains("device_type")) {
    const auto name = read_text(*body, "device_type");
    if (!name) co_return std::unexpected(name.error());
    const auto device = parse_device(*name);
    if (!device) co_return std::unexpected(device.error());
    kick.set_device_type(*device);
  }
  auto reason = read_reason(*body);
  if (!reason) co_return std::unexpected(reason.error());
  kick.set_reason(std::move(*reason));
  const auto answer = co_await services->caller.call({.app_id = request.app_id,
                                                      .uid = *uid,
                                                      .slot = slot_of(request.app_id, *uid),
                                                      .command = internal::COMMAND_KICK,
                                                      .body = kick.SerializeAsString(),
                                                      .changes = true});
  if (!answer) co_return std::unexpected(answer.error());
  internal::Kicked kicked;
  if (!kicked.ParseFromString(*answer)) co_return fail(Code::kInternal, "an answer that does not parse");
  co_return Json{{"kicked", kicked.sessions()}};
}

}  // namespace hongyan::logic
