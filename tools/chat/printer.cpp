#include "tools/chat/printer.h"

#include <fmt/format.h>

#include <cstdio>

#include "tools/chat/format.h"
#include "tools/chat/json.h"
#include "tools/support/text.h"

namespace hongyan::chat {

namespace {

using tools::printable;

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
  out(style_.json ? message_json(message) : message_line(message));
}

void Printer::group(client::CtrlType type, const client::GroupOpResult& result) {
  if (style_.json) return out(group_json(type, result));
  const auto lines = group_lines(result);
  if (lines.empty()) return remark("done");
  for (const auto& line : lines) out(line);
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
  const std::string reason = short_name(kick.reason);
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
