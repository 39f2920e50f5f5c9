#include "tools/chat/printer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "tools/support/text.h"

namespace hongyan::chat {

namespace {

using Json = nlohmann::ordered_json;
using tools::printable;

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void set_bytes(Json& json, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) {
    json[name] = bytes;
  } else {
    json[name + "_base64"] = base64_encode(bytes);
  }
}

constexpr std::string_view kClearLine = "\r\033[K";
constexpr std::string_view kPrompt = "> ";

}  // namespace

void Printer::out(const std::string& line) {
  const std::scoped_lock lock(mutex_);
  const std::string text = style_.prompt ? fmt::format("{}{}\n{}", kClearLine, line, kPrompt) : line + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Printer::err(const std::string& line) {
  if (style_.prompt) return out(line);
  const std::scoped_lock lock(mutex_);
  fmt::print(stderr, "{}\n", line);
}

void Printer::prompt() {
  if (!style_.prompt) return;
  const std::scoped_lock lock(mutex_);
  std::fwrite(kPrompt.data(), 1, kPrompt.size(), stdout);
  std::fflush(stdout);
}

void Printer::message(const client::Message& message) {
  if (!style_.json) {
    const auto when = fmt::localtime(static_cast<std::time_t>(message.time_ms / 1000));
    const std::string who = message.sent ? "(me) to " + printable(message.to) : printable(message.from);
    const std::string group = message.group_id != 0 ? fmt::format(" [group {}]", message.group_id) : "";
    return out(fmt::format("{:%H:%M:%S} {}{}: {}", when, who, group, printable(message.content)));
  }
  Json json = {{"event", message.sent ? "sent_elsewhere" : "message"}};
  set_bytes(json, "from", message.from);
  if (!message.to.empty()) set_bytes(json, "to", message.to);
  if (message.group_id != 0) json["group_id"] = message.group_id;
  set_bytes(json, "content", message.content);
  json["seq"] = message.seq;
  json["msg_id"] = message.msg_id;
  json["time"] = message.time_ms;
  if (message.msg_type != 0) json["msg_type"] = message.msg_type;
  if (!message.client_msg_id.empty()) set_bytes(json, "client_msg_id", message.client_msg_id);
  out(to_line(json));
}

void Printer::sent(const std::string& to, const client::SendReceipt& receipt) {
  if (!style_.json) return remark(fmt::format("sent to {} (msg_id {})", printable(to), receipt.msg_id));
  Json json = {{"event", "sent"}};
  set_bytes(json, "to", to);
  json["msg_id"] = receipt.msg_id;
  json["client_msg_id"] = receipt.client_msg_id;
  json["time"] = receipt.time_ms;
  json["attempts"] = receipt.attempts;
  out(to_line(json));
}

void Printer::failed(const std::string& to, const client::Failure& failure) {
  if (!style_.json) {
    return problem(
        fmt::format("not sent to {}: {} {}", printable(to), code_name(failure.code), failure.message));
  }
  Json json = {{"event", "failed"}};
  set_bytes(json, "to", to);
  json["code"] = code_name(failure.code);
  json["message"] = failure.message;
  out(to_line(json));
}

void Printer::kicked(const client::Kick& kick) {
  std::string reason = client::KickReason_Name(kick.reason);
  if (constexpr std::string_view kPrefix = "KICK_REASON_"; reason.starts_with(kPrefix))
    reason.erase(0, kPrefix.size());
  if (!style_.json) {
    return problem(fmt::format("kicked out: {} {}{}", reason, kick.message,
                               kick.will_reconnect ? " (connecting again)" : ""));
  }
  out(to_line({{"event", "kicked"},
               {"reason", reason},
               {"message", kick.message},
               {"will_reconnect", kick.will_reconnect}}));
}

void Printer::online(const std::vector<std::string>& uids, bool more) {
  if (!style_.json) {
    out(fmt::format("{}{} online", uids.size(), more ? " and more" : ""));
    for (const auto& uid : uids) out("  " + printable(uid));
    return;
  }
  Json json = {{"event", "online"}, {"users", Json::array()}, {"more", more}};
  for (const auto& uid : uids) {
    Json user = Json::object();
    set_bytes(user, "uid", uid);
    json["users"].push_back(std::move(user));
  }
  out(to_line(json));
}

void Printer::remark(std::string_view text) {
  if (!style_.quiet) err("* " + printable(text));
}

void Printer::problem(std::string_view text) { err("! " + printable(text)); }

}  // namespace hongyan::chat
