#include <fmt/format.h>

#include "common/base/random.h"
#include "common/base/text.h"
#include "common/link/hello.h"
#include "logic/api/server_api.h"
#include "logic/message/accept.h"
#include "logic/pipeline/server_calls.h"
#include "proto/internal.pb.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMostMentions = 100;

struct Message {
  std::string from;
  std::vector<std::string> to;
  std::string content;
  std::string client_msg_id;
  std::int64_t group_id = 0;  // then `to` is its name
  std::vector<std::string> mentions;
  std::int32_t msg_type = 0;
  bool persist = true;
};

Result<std::string> read_content(const Json& body, std::size_t most) {
  const bool is_text = body.contains("content");
  if (is_text == body.contains("content_base64")) {
    return fail(Code::kBadRequest, "one of content and content_base64 is required");
  }
  auto content = read_text(body, is_text ? "content" : "content_base64");
  if (!content) return content;
  if (!is_text) {
    auto decoded = base64_decode(*content);
    if (!decoded) return fail(Code::kBadRequest, "content_base64 is not base64");
    content = std::move(*decoded);
  }
  if (content->size() > most)
    return fail(Code::kTooLarge, fmt::format("content is longer than {} bytes", most));
  return content;
}

// Users, or one group.
Status read_targets(const Json& body, const ApiConfig& limits, Message& message) {
  if (!body.contains("group_id")) {
    if (body.contains("mentions")) return fail(Code::kBadRequest, "mentions are of a group's message");
    auto to = read_texts(body, "to", limits.max_targets);
    if (!to) return std::unexpected(to.error());
    message.to = std::move(*to);
    return {};
  }
  if (body.contains("to")) return fail(Code::kBadRequest, "either to or group_id");
  const auto group_id = read_group_id(body, "group_id");
  if (!group_id) return std::unexpected(group_id.error());
  message.group_id = *group_id;
  message.to.push_back(std::to_string(*group_id));
  if (!body.contains("mentions")) return {};
  auto mentions = read_texts(body, "mentions", kMostMentions);
  if (!mentions) return std::unexpected(mentions.error());
  message.mentions = std::move(*mentions);
  for (const auto& uid : message.mentions) {
    if (auto ok = check_id(uid, kMaxUid, "a mentioned uid"); !ok) return ok;
  }
  return {};
}

Result<Message> read_message(const ApiRequest& request, const ApiConfig& limits) {
  const auto body =
      parse_object(request.http.body, {"from", "to", "content", "content_base64", "persist", "client_msg_id",
                                       "msg_type", "group_id", "mentions", "broadcast"});
  if (!body) return std::unexpected(body.error());
  if (body->contains("broadcast")) {
    return fail(Code::kBadRequest, "messages go to users or a group: broadcast is not supported yet");
  }
  Message message;
  auto from = read_id(*body, "from", kMaxUid);
  if (!from) return std::unexpected(from.error());
  message.from = std::move(*from);
  if (auto ok = read_targets(*body, limits, message); !ok) return std::unexpected(ok.error());
  auto content = read_content(*body, limits.max_content_bytes);
  if (!content) return std::unexpected(content.error());
  message.content = std::move(*content);
  const auto persist = read_bool(*body, "persist", true);
  if (!persist) return std::unexpected(persist.error());
  message.persist = *persist;
  if (message.group_id != 0 && !message.persist) {
    return fail(Code::kBadRequest, "a group's messages are stored: persist must be true");
  }
  const auto msg_type = read_int(*body, "msg_type", 0, INT32_MIN, INT32_MAX);
  if (!msg_type) return std::unexpected(msg_type.error());
  message.msg_type = static_cast<std::int32_t>(*msg_type);
  if (!body->contains("client_msg_id")) {
    message.client_msg_id = random_id_text();
    return message;
  }
  auto id = read_id(*body, "client_msg_id", kMaxClientMsgId);
  if (!id) return std::unexpected(id.error());
  message.client_msg_id = std::move(*id);
  return message;
}

// The id under which a message is stored for one of its targets. Part of the API: an id given again must give
// the same (docs/protocol.md).
std::string id_for(const std::string& client_msg_id, const std::string& target) {
  return sha256_hex(client_msg_id + '\0' + target).substr(0, 32);
}

Json failed(const std::string& to, const Error& error) { return {{"to", to}, {"error", error_json(error)}}; }

Json stored(const std::string& to, const internal::S2cStored::Result& result) {
  if (result.has_error()) {
    const auto& error = result.error();
    return failed(to, {static_cast<Code>(error.code()), error.message(), error.retry_after_ms()});
  }
  return {{"to", to}, {"status", "stored"}, {"msg_id", result.msg_id()}, {"timestamp", result.timestamp()}};
}

// One call to the owner of the sender, whatever the number of targets. results[i] belongs to message.to[i];
// those that are set already are left out.
net::Awaitable<> store(const ApiServices* services, std::string app_id, const Message* message,
                       Json* results) {
  internal::S2cStore wanted;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < message->to.size(); ++i) {
    if (!(*results)[i].is_null()) continue;
    auto& target = *wanted.add_targets();
    target.set_uid(message->to[i]);
    target.set_client_msg_id(id_for(message->client_msg_id, message->to[i]));
    places.push_back(i);
  }
  if (places.empty()) co_return;
  wanted.set_content(message->content);
  wanted.set_msg_type(message->msg_type);
  wanted.set_group_id(message->group_id);
  for (const auto& uid : message->mentions) wanted.add_mentions(uid);
  const auto answer = co_await services->caller.call({.app_id = app_id,
                                                      .uid = message->from,
                                                      .slot = slot_of(app_id, message->from),
                                                      .command = internal::COMMAND_S2C_STORE,
                                                      .body = wanted.SerializeAsString(),
                                                      .changes = true});
  internal::S2cStored all;
  const bool parsed =
      answer && all.ParseFromString(*answer) && static_cast<std::size_t>(all.results_size()) == places.size();
  const Error error = answer ? Error{Code::kInternal, "an answer that does not parse"} : answer.error();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::string& to = message->to[places[i]];
    (*results)[places[i]] = parsed ? stored(to, all.results(static_cast<int>(i))) : failed(to, error);
  }
}

Json pushed(const std::string& to, std::int64_t msg_id, const Result<std::string>& answer) {
  internal::S2cPushed result;
  if (!answer) return failed(to, answer.error());
  if (!result.ParseFromString(*answer)) return failed(to, {Code::kInternal, "an answer that does not parse"});
  switch (result.outcome()) {
    case internal::S2cPushed::OUTCOME_ONLINE:
      return {{"to", to}, {"status", "online"}, {"msg_id", msg_id}, {"timestamp", result.timestamp()}};
    case internal::S2cPushed::OUTCOME_DROPPED:
      return {{"to", to}, {"status", "dropped"}};
    default:
      return {{"to", to}, {"status", "offline"}};
  }
}

// One call to the owner of each target.
net::Awaitable<> push(const ApiServices* services, std::string app_id, const Message* message,
                      Json* results) {
  std::vector<Call> calls;
  std::vector<std::size_t> places;
  std::vector<std::int64_t> ids;
  internal::S2cPush wanted;
  wanted.set_from(message->from);
  wanted.set_content(message->content);
  wanted.set_msg_type(message->msg_type);
  for (std::size_t i = 0; i < message->to.size(); ++i) {
    if (!(*results)[i].is_null()) continue;
    places.push_back(i);
    ids.push_back(services->clock.next());
    wanted.set_msg_id(ids.back());
    calls.push_back({.app_id = app_id,
                     .uid = message->to[i],
                     .slot = slot_of(app_id, message->to[i]),
                     .command = internal::COMMAND_S2C_PUSH,
                     .body = wanted.SerializeAsString(),
                     .changes = true});
  }
  const auto answers = co_await services->caller.call_all(std::move(calls));
  for (std::size_t i = 0; i < places.size(); ++i) {
    (*results)[places[i]] = pushed(message->to[places[i]], ids[i], answers[i]);
  }
}

}  // namespace

net::Awaitable<Result<Json>> post_messages(const ApiServices* services, ApiRequest request) {
  const auto message = read_message(request, services->limits);
  if (!message) co_return std::unexpected(message.error());
  if (message->group_id != 0) {
    const auto there = co_await check_group(services, request.app_id, message->group_id);
    if (!there) co_return std::unexpected(there.error());
  }
  Json results = Json::array();
  for (const auto& to : message->to) {
    const auto ok = check_id(to, kMaxUid, "to");
    results.push_back(ok ? Json() : failed(to, ok.error()));
  }
  if (message->persist) {
    co_await store(services, request.app_id, &*message, &results);
    co_return Json{{"client_msg_id", message->client_msg_id}, {"results", std::move(results)}};
  }
  co_await push(services, request.app_id, &*message, &results);
  co_return Json{{"results", std::move(results)}};
}

}  // namespace hongyan::logic
