#include "common/base/clock.h"
#include "logic/api/server_api.h"
#include "logic/message/accept.h"
#include "logic/store/box_works.h"
#include "proto/internal.pb.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMaxPasswordHash = 255;
constexpr std::int64_t kLongestBan = std::int64_t{1000} * 366 * 86'400;  // seconds; beyond it: for ever

Call user_call(const ApiRequest& request, const std::string& uid, internal::Command command,
               std::string body) {
  return {.app_id = request.app_id,
          .uid = uid,
          .slot = slot_of(request.app_id, uid),
          .command = static_cast<std::uint32_t>(command),
          .body = std::move(body),
          .changes = command != internal::COMMAND_USER};
}

Result<internal::User> user_of(const Result<std::string>& answer) {
  if (!answer) return std::unexpected(answer.error());
  internal::User user;
  if (!user.ParseFromString(*answer)) return fail(Code::kInternal, "an answer that does not parse");
  return user;
}

bool is_banned(const internal::User& user) { return user.ban().until_ms() > wall_ms(); }

// Of a user who is banned now.
void describe_ban(const internal::User& user, Json& out) {
  if (user.ban().until_ms() != kForever) out["until_ms"] = user.ban().until_ms();
  out["reason"] = user.ban().reason();
}

Json ban_json(const internal::User& user) {
  Json out = {{"banned", is_banned(user)}};
  if (is_banned(user)) describe_ban(user, out);
  return out;
}

Result<std::int64_t> ban_end(const Json& body) {
  if (body.contains("until_ms") && body.contains("seconds")) {
    return fail(Code::kBadRequest, "either until_ms or seconds, or neither: for ever");
  }
  const std::int64_t now = wall_ms();
  const auto until = read_int(body, "until_ms", kForever, now + 1, kForever);
  if (!until || !body.contains("seconds")) return until;
  const auto seconds = read_int(body, "seconds", 0, 1, kLongestBan);
  if (!seconds) return seconds;
  return now + *seconds * 1000;
}

}  // namespace

net::Awaitable<Result<Json>> post_users(const ApiServices* services, ApiRequest request) {
  const auto body = parse_object(request.http.body, {"uid", "password_hash"});
  if (!body) co_return std::unexpected(body.error());
  const auto uid = read_id(*body, "uid", kMaxUid);
  if (!uid) co_return std::unexpected(uid.error());
  internal::Register wanted;
  if (body->contains("password_hash")) {
    auto hash = read_id(*body, "password_hash", kMaxPasswordHash);
    if (!hash) co_return std::unexpected(hash.error());
    wanted.set_password_hash(std::move(*hash));
  }
  const auto user = user_of(co_await services->caller.call(
      user_call(request, *uid, internal::COMMAND_REGISTER, wanted.SerializeAsString())));
  if (!user) co_return std::unexpected(user.error());
  if (!user->created()) co_return fail(Code::kAlreadyExists, "the user is registered already");
  co_return Json{{"uid", *uid}, {"created_at", user->created_time()}};
}

net::Awaitable<Result<Json>> get_user(const ApiServices* services, ApiRequest request) {
  const auto uid = uid_of_path(request);
  if (!uid) co_return std::unexpected(uid.error());
  const auto user =
      user_of(co_await services->caller.call(user_call(request, *uid, internal::COMMAND_USER, {})));
  if (!user) co_return std::unexpected(user.error());
  const bool registered = user->created_time() != 0;
  if (!registered && !is_banned(*user)) co_return fail(Code::kNotFound, "no such user is registered");
  Json out = {{"registered", registered}};
  set_bytes(out, "uid", *uid);
  if (registered) out["created_at"] = user->created_time();
  if (is_banned(*user)) {
    out["ban"] = Json::object();
    describe_ban(*user, out["ban"]);
  }
  co_return out;
}

net::Awaitable<Result<Json>> post_ban(const ApiServices* services, ApiRequest request) {
  const auto uid = uid_of_path(request);
  if (!uid) co_return std::unexpected(uid.error());
  const auto body = parse_object(request.http.body, {"until_ms", "seconds", "reason"});
  if (!body) co_return std::unexpected(body.error());
  const auto until = ban_end(*body);
  if (!until) co_return std::unexpected(until.error());
  auto reason = read_reason(*body);
  if (!reason) co_return std::unexpected(reason.error());
  internal::Ban ban;
  ban.set_until_ms(*until);
  ban.set_reason(std::move(*reason));
  const auto user = user_of(co_await services->caller.call(
      user_call(request, *uid, internal::COMMAND_BAN, ban.SerializeAsString())));
  if (!user) co_return std::unexpected(user.error());
  Json out = ban_json(*user);
  out["kicked"] = user->kicked();
  co_return out;
}

net::Awaitable<Result<Json>> delete_ban(const ApiServices* services, ApiRequest request) {
  const auto uid = uid_of_path(request);
  if (!uid) co_return std::unexpected(uid.error());
  if (const auto body = parse_object(request.http.body, {}); !body) co_return std::unexpected(body.error());
  const auto user = user_of(co_await services->caller.call(
      user_call(request, *uid, internal::COMMAND_BAN, internal::Ban().SerializeAsString())));
  if (!user) co_return std::unexpected(user.error());
  co_return ban_json(*user);
}

net::Awaitable<Result<Json>> get_ban(const ApiServices* services, ApiRequest request) {
  const auto uid = uid_of_path(request);
  if (!uid) co_return std::unexpected(uid.error());
  const auto user =
      user_of(co_await services->caller.call(user_call(request, *uid, internal::COMMAND_USER, {})));
  if (!user) co_return std::unexpected(user.error());
  co_return ban_json(*user);
}

}  // namespace hongyan::logic
