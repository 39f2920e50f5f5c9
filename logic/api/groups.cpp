#include <fmt/format.h>

#include "common/base/random.h"
#include "common/base/text.h"
#include "common/link/hello.h"
#include "logic/api/server_api.h"
#include "logic/message/group_key.h"
#include "logic/user/check_id.h"
#include "proto/internal.pb.h"

namespace hongyan::logic {

namespace {

constexpr std::int64_t kDefaultMembers = 100;
constexpr std::int64_t kMostMembers = 1000;

// A command of a service: done in the name of a user, with the rights of the group's owner.
struct Command {
  client::CtrlType type = client::CTRL_TYPE_CREATE_GROUP;
  std::int64_t group_id = 0;  // 0: it creates one
  std::string actor;
  std::string client_msg_id;
  client::GroupOp op;
};

Json describe(const client::Group& group) {
  Json out = {{"group_id", std::to_string(group.group_id())}, {"name", group.name()},
              {"announcement", group.announcement()},         {"create_time", group.create_time()},
              {"member_count", group.member_count()},         {"large", group.large()}};
  set_bytes(out, "owner", group.owner());
  set_bytes(out, "create_user", group.create_user());
  return out;
}

Json members_of(const client::GroupOpResult& result) {
  Json out = Json::array();
  for (const auto& uid : result.members()) {
    Json one = Json::object();
    set_bytes(one, "uid", uid);
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::int64_t> group_of_path(const ApiRequest& request) {
  const std::string_view text = request.http.param("id");
  const auto id = parse_number<std::int64_t>(text);
  if (!id || *id <= 0) return fail(Code::kBadRequest, "the group's id is not a positive number");
  return *id;
}

Result<client::CtrlSendResp> parsed(const Result<std::string>& answer) {
  if (!answer) return std::unexpected(answer.error());
  client::CtrlSendResp response;
  if (!response.ParseFromString(*answer)) return fail(Code::kInternal, "an answer that does not parse");
  return response;
}

Result<client::GroupOpResult> result_of(const client::CtrlSendResp& response) {
  client::GroupOpResult result;
  if (!result.ParseFromString(response.content()))
    return fail(Code::kInternal, "an answer that does not parse");
  return result;
}

// operator and client_msg_id, which every change has.
Status read_actor(const Json& body, const char* name, Command& command) {
  auto actor = read_id(body, name, kMaxUid);
  if (!actor) return std::unexpected(actor.error());
  command.actor = std::move(*actor);
  if (!body.contains("client_msg_id")) {
    command.client_msg_id = random_id_text();
    return {};
  }
  auto id = read_id(body, "client_msg_id", kMaxClientMsgId);
  if (!id) return std::unexpected(id.error());
  command.client_msg_id = std::move(*id);
  return {};
}

Status read_string(const Json& body, const char* name, std::string& out) {
  if (!body.contains(name)) return {};
  auto text = read_text(body, name);
  if (!text) return std::unexpected(text.error());
  out = std::move(*text);
  return {};
}

Status read_members(const Json& body, std::size_t most, client::GroupOp& op) {
  const auto members = read_texts(body, "members", most);
  if (!members) return std::unexpected(members.error());
  for (const auto& uid : *members) op.add_members(uid);
  return {};
}

net::Awaitable<Result<Json>> run(const ApiServices* services, std::string app_id, Command command) {
  client::CtrlSendReq wanted;
  wanted.set_from(command.actor);
  wanted.set_type(command.type);
  if (command.group_id != 0) wanted.set_to(std::to_string(command.group_id));
  wanted.set_content(command.op.SerializeAsString());
  wanted.set_client_msg_id(command.client_msg_id);
  const auto response = parsed(co_await services->caller.call({.app_id = app_id,
                                                               .uid = command.actor,
                                                               .slot = slot_of(app_id, command.actor),
                                                               .command = internal::COMMAND_CTRL,
                                                               .body = wanted.SerializeAsString(),
                                                               .changes = true}));
  if (!response) co_return std::unexpected(response.error());
  const auto result = result_of(*response);
  if (!result) co_return std::unexpected(result.error());
  Json out = {{"msg_id", response->msg_id()},
              {"client_msg_id", command.client_msg_id},
              {"group", describe(result->group())}};
  if (result->members_size() > 0) out["members"] = members_of(*result);
  co_return out;
}

// A command of one user of the path's group, from a JSON body with these fields.
Result<Command> read_command(const ApiRequest& request, client::CtrlType type, const Json& body) {
  Command command{.type = type, .group_id = 0, .actor = {}, .client_msg_id = {}, .op = {}};
  const auto group_id = group_of_path(request);
  if (!group_id) return std::unexpected(group_id.error());
  command.group_id = *group_id;
  if (auto ok = read_actor(body, "operator", command); !ok) return std::unexpected(ok.error());
  return command;
}

net::Awaitable<Result<Json>> change_members(const ApiServices* services, ApiRequest request,
                                            client::CtrlType type) {
  const auto body = parse_object(request.http.body, {"operator", "members", "client_msg_id"});
  if (!body) co_return std::unexpected(body.error());
  auto command = read_command(request, type, *body);
  if (!command) co_return std::unexpected(command.error());
  if (auto ok = read_members(*body, services->limits.max_targets, command->op); !ok) {
    co_return std::unexpected(ok.error());
  }
  co_return co_await run(services, request.app_id, std::move(*command));
}

net::Awaitable<Result<client::GroupOpResult>> read_group(const ApiServices* services, std::string app_id,
                                                         internal::GroupRead wanted) {
  const auto response =
      parsed(co_await services->caller.call({.app_id = app_id,
                                             .uid = {},
                                             .slot = slot_of_group(app_id, wanted.group_id()),
                                             .command = internal::COMMAND_GROUP,
                                             .body = wanted.SerializeAsString()}));
  if (!response) co_return std::unexpected(response.error());
  co_return result_of(*response);
}

Result<std::int64_t> number_of_query(const ApiRequest& request, std::string_view name, std::int64_t if_absent,
                                     std::int64_t least, std::int64_t most) {
  const auto text = request.http.query_value(name);
  if (!text) return if_absent;
  const auto value = parse_number<std::int64_t>(*text);
  if (!value || *value < least || *value > most) {
    return fail(Code::kBadRequest, fmt::format("{} is not a number from {} to {}", name, least, most));
  }
  return *value;
}

}  // namespace

net::Awaitable<Status> check_group(const ApiServices* services, std::string app_id, std::int64_t group_id) {
  internal::GroupRead wanted;
  wanted.set_group_id(group_id);
  const auto result = co_await read_group(services, app_id, std::move(wanted));
  if (!result) co_return std::unexpected(result.error());
  co_return Status();
}

net::Awaitable<Result<Json>> post_groups(const ApiServices* services, ApiRequest request) {
  const auto body =
      parse_object(request.http.body, {"owner", "name", "announcement", "members", "client_msg_id"});
  if (!body) co_return std::unexpected(body.error());
  Command command;
  if (auto ok = read_actor(*body, "owner", command); !ok) co_return std::unexpected(ok.error());
  auto name = read_text(*body, "name");
  if (!name) co_return std::unexpected(name.error());
  command.op.set_name(std::move(*name));
  if (auto ok = read_string(*body, "announcement", *command.op.mutable_announcement()); !ok) {
    co_return std::unexpected(ok.error());
  }
  if (body->contains("members")) {
    if (auto ok = read_members(*body, services->limits.max_targets, command.op); !ok) {
      co_return std::unexpected(ok.error());
    }
  }
  co_return co_await run(services, request.app_id, std::move(command));
}

net::Awaitable<Result<Json>> get_group(const ApiServices* services, ApiRequest request) {
  const auto group_id = group_of_path(request);
  if (!group_id) co_return std::unexpected(group_id.error());
  internal::GroupRead wanted;
  wanted.set_group_id(*group_id);
  const auto result = co_await read_group(services, request.app_id, std::move(wanted));
  if (!result) co_return std::unexpected(result.error());
  co_return Json{{"group", describe(result->group())}};
}

// Each change is a message of its own, so one at a time.
net::Awaitable<Result<Json>> patch_group(const ApiServices* services, ApiRequest request) {
  const auto body =
      parse_object(request.http.body, {"operator", "name", "announcement", "owner", "client_msg_id"});
  if (!body) co_return std::unexpected(body.error());
  auto command = read_command(request, client::CTRL_TYPE_RENAME, *body);
  if (!command) co_return std::unexpected(command.error());
  int changes = 0;
  if (body->contains("name")) {
    ++changes;
    if (auto ok = read_string(*body, "name", *command->op.mutable_name()); !ok) {
      co_return std::unexpected(ok.error());
    }
  }
  if (body->contains("announcement")) {
    ++changes;
    command->type = client::CTRL_TYPE_MODIFY_ANNOUNCEMENT;
    if (auto ok = read_string(*body, "announcement", *command->op.mutable_announcement()); !ok) {
      co_return std::unexpected(ok.error());
    }
  }
  if (body->contains("owner")) {
    ++changes;
    command->type = client::CTRL_TYPE_TRANSFER_OWNER;
    auto owner = read_id(*body, "owner", kMaxUid);
    if (!owner) co_return std::unexpected(owner.error());
    command->op.set_owner(std::move(*owner));
  }
  if (changes != 1) co_return fail(Code::kBadRequest, "one of name, announcement and owner is required");
  co_return co_await run(services, request.app_id, std::move(*command));
}

net::Awaitable<Result<Json>> delete_group(const ApiServices* services, ApiRequest request) {
  const auto body = parse_object(request.http.body, {"operator", "client_msg_id"});
  if (!body) co_return std::unexpected(body.error());
  auto command = read_command(request, client::CTRL_TYPE_DELETE_GROUP, *body);
  if (!command) co_return std::unexpected(command.error());
  co_return co_await run(services, request.app_id, std::move(*command));
}

net::Awaitable<Result<Json>> get_group_members(const ApiServices* services, ApiRequest request) {
  const auto group_id = group_of_path(request);
  if (!group_id) co_return std::unexpected(group_id.error());
  const auto offset = number_of_query(request, "offset", 0, 0, INT64_MAX);
  if (!offset) co_return std::unexpected(offset.error());
  const auto limit = number_of_query(request, "limit", kDefaultMembers, 1, kMostMembers);
  if (!limit) co_return std::unexpected(limit.error());
  internal::GroupRead wanted;
  wanted.set_group_id(*group_id);
  wanted.set_members(true);
  wanted.set_offset(*offset);
  wanted.set_limit(static_cast<std::int32_t>(*limit));
  const auto result = co_await read_group(services, request.app_id, std::move(wanted));
  if (!result) co_return std::unexpected(result.error());
  co_return Json{{"members", members_of(*result)}, {"member_count", result->group().member_count()}};
}

net::Awaitable<Result<Json>> post_group_members(const ApiServices* services, ApiRequest request) {
  co_return co_await change_members(services, std::move(request), client::CTRL_TYPE_ADD_MEMBERS);
}

net::Awaitable<Result<Json>> delete_group_members(const ApiServices* services, ApiRequest request) {
  co_return co_await change_members(services, std::move(request), client::CTRL_TYPE_REMOVE_MEMBERS);
}

}  // namespace hongyan::logic
