#include "tools/chat/format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "client/cpp/group.h"
#include "tools/chat/json.h"
#include "tools/support/text.h"

namespace hongyan::chat {

namespace {

using tools::printable;

// "bob, carol"
template <typename Uids>
std::string list(const Uids& uids) {
  std::string out;
  for (const auto& uid : uids) out += (out.empty() ? "" : ", ") + printable(uid);
  return out;
}

std::string without_prefix(std::string name, std::string_view prefix) {
  if (name.starts_with(prefix)) name.erase(0, prefix.size());
  return name;
}

std::string group_line(const client::Group& group) {
  std::string out =
      fmt::format("#{} {}: {} {}, owner {}", group.group_id(), printable(group.name()), group.member_count(),
                  group.member_count() == 1 ? "member" : "members", printable(group.owner()));
  if (group.large()) out += ", large";
  if (!group.announcement().empty()) out += ". " + printable(group.announcement());
  return out;
}

Json uid_json(const std::string& uid) {
  Json json = Json::object();
  set_bytes(json, "uid", uid);
  return json;
}

template <typename Uids>
Json uids_json(const Uids& uids) {
  Json json = Json::array();
  for (const auto& uid : uids) json.push_back(uid_json(uid));
  return json;
}

Json group_object(const client::Group& group) {
  Json json = {{"group_id", group.group_id()}, {"name", group.name()}};
  set_bytes(json, "owner", group.owner());
  set_bytes(json, "create_user", group.create_user());
  json["create_time"] = group.create_time();
  json["announcement"] = group.announcement();
  json["member_count"] = group.member_count();
  json["large"] = group.large();
  return json;
}

// Who joined or left, as far as names were told.
std::string told(const client::GroupOp& op) {
  const int more = op.member_count() - op.members_size();
  return more > 0 ? fmt::format("{} and {} more", list(op.members()), more) : list(op.members());
}

void set_event(Json& json, const client::GroupEvent& event) {
  json["event"] = "group";
  json["type"] = short_name(event.type);
  if (event.op.members_size() > 0) json["members"] = uids_json(event.op.members());
  if (event.op.member_count() > 0) json["member_count"] = event.op.member_count();
  if (!event.op.name().empty()) json["name"] = event.op.name();
  if (!event.op.announcement().empty()) json["announcement"] = event.op.announcement();
  if (!event.op.owner().empty()) set_bytes(json, "owner", event.op.owner());
}

}  // namespace

std::string short_name(client::CtrlType type) {
  return without_prefix(client::CtrlType_Name(type), "CTRL_TYPE_");
}

std::string short_name(client::KickReason reason) {
  return without_prefix(client::KickReason_Name(reason), "KICK_REASON_");
}

std::string event_text(const client::Message& message) {
  const auto event = client::group_event(message);
  const std::string who = printable(message.from);
  if (!event) return who + " did something that this version does not know";
  const client::GroupOp& op = event->op;
  switch (event->type) {
    case client::CTRL_TYPE_CREATE_GROUP:
      return fmt::format("{} made the group {} with {}", who, printable(op.name()), told(op));
    case client::CTRL_TYPE_ADD_MEMBERS:
      return fmt::format("{} added {}", who, told(op));
    case client::CTRL_TYPE_REMOVE_MEMBERS:
      return fmt::format("{} removed {}", who, told(op));
    case client::CTRL_TYPE_INVITE_MEMBERS:
      return fmt::format("{} invited {}", who, told(op));
    case client::CTRL_TYPE_JOIN_GROUP:
      return who + " joined";
    case client::CTRL_TYPE_EXIT_GROUP:
      return who + " left";
    case client::CTRL_TYPE_DELETE_GROUP:
      return who + " dissolved the group";
    case client::CTRL_TYPE_MODIFY_ANNOUNCEMENT:
      return op.announcement().empty() ? who + " took the announcement away"
                                       : fmt::format("{} announces: {}", who, printable(op.announcement()));
    case client::CTRL_TYPE_TRANSFER_OWNER:
      return fmt::format("{} made {} the owner", who, printable(op.owner()));
    case client::CTRL_TYPE_RENAME:
      return fmt::format("{} named the group {}", who, printable(op.name()));
    default:
      return fmt::format("{}: {}", who, short_name(event->type));
  }
}

std::string message_line(const client::Message& message) {
  const auto when = fmt::localtime(static_cast<std::time_t>(message.time_ms / 1000));
  const std::string group = message.group_id != 0 ? fmt::format(" #{}", message.group_id) : "";
  if (message.kind == client::COMMAND_CTRL_SEND) {
    return fmt::format("{:%H:%M:%S}{} * {}", when, group, event_text(message));
  }
  std::string who = printable(message.from);
  if (message.sent) who = "(me) to " + printable(message.to);
  if (message.own) who = "(me)";
  return fmt::format("{:%H:%M:%S} {}{}: {}", when, who, group, printable(message.content));
}

std::string message_json(const client::Message& message) {
  Json json = {{"event", message.sent ? "sent_elsewhere" : "message"}};
  const auto event = client::group_event(message);
  if (event) set_event(json, *event);
  set_bytes(json, "from", message.from);
  if (!message.to.empty() && !event) set_bytes(json, "to", message.to);
  if (message.group_id != 0) {
    json["group_id"] = message.group_id;
    json["group_seq"] = message.group_seq;
  }
  if (!event) set_bytes(json, "content", message.content);
  if (!message.mentions.empty()) json["mentions"] = uids_json(message.mentions);
  if (message.own) json["own"] = true;
  json["seq"] = message.seq;
  json["msg_id"] = message.msg_id;
  json["time"] = message.time_ms;
  if (message.msg_type != 0 && !event) json["msg_type"] = message.msg_type;
  if (!message.client_msg_id.empty()) set_bytes(json, "client_msg_id", message.client_msg_id);
  return to_line(json);
}

std::vector<std::string> group_lines(const client::GroupOpResult& result) {
  std::vector<std::string> lines;
  if (result.has_group()) lines.push_back(group_line(result.group()));
  for (const auto& group : result.groups()) lines.push_back(group_line(group));
  for (const auto& uid : result.members()) lines.push_back("  " + printable(uid));
  return lines;
}

std::string group_json(client::CtrlType type, const client::GroupOpResult& result) {
  Json json = {{"event", "group_answer"}, {"type", short_name(type)}};
  if (result.has_group()) json["group"] = group_object(result.group());
  if (type == client::CTRL_TYPE_LIST_MEMBERS) json["members"] = uids_json(result.members());
  if (type == client::CTRL_TYPE_LIST_MY_GROUPS) {
    json["groups"] = Json::array();
    for (const auto& group : result.groups()) json["groups"].push_back(group_object(group));
  }
  return to_line(json);
}

}  // namespace hongyan::chat
