#include "logic/api/json.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "logic/message/accept.h"

namespace hongyan::logic {

namespace {

constexpr int kDeepest = 8;
constexpr std::string_view kDevicePrefix = "DEVICE_TYPE_";

}  // namespace

Result<Json> parse_object(std::string_view text, std::initializer_list<std::string_view> known) {
  if (text.empty()) return Json::object();
  bool too_deep = false;
  // What is too deep is not kept, so that it costs no memory.
  const auto shallow = [&too_deep](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;
  };
  Json object = Json::parse(text, shallow, /*allow_exceptions=*/false);
  if (too_deep) return fail(Code::kBadRequest, "the body is nested too deeply");
  if (!object.is_object()) return fail(Code::kBadRequest, "the body is not a JSON object in UTF-8");
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      return fail(Code::kBadRequest, fmt::format("unknown field {:.64}", name));
    }
  }
  return object;
}

Result<std::string> read_text(const Json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_string()) {
    return fail(Code::kBadRequest, fmt::format("{} is missing or not a text", name));
  }
  return field->get<std::string>();
}

Result<std::string> read_id(const Json& object, const char* name, std::size_t most) {
  auto id = read_text(object, name);
  if (!id) return id;
  if (auto ok = check_id(*id, most, name); !ok) return std::unexpected(ok.error());
  return id;
}

Result<std::int64_t> read_group_id(const Json& object, const char* name) {
  const Json& value = object.at(name);
  std::int64_t id = 0;
  if (value.is_number_integer()) {
    id = value.get<std::int64_t>();
  } else if (value.is_string()) {
    id = parse_number<std::int64_t>(value.get_ref<const std::string&>()).value_or(0);
  }
  if (id <= 0) return fail(Code::kBadRequest, std::string(name) + " is not a group's id");
  return id;
}

Result<bool> read_bool(const Json& object, const char* name, bool if_absent) {
  const auto field = object.find(name);
  if (field == object.end()) return if_absent;
  if (!field->is_boolean()) return fail(Code::kBadRequest, fmt::format("{} is neither true nor false", name));
  return field->get<bool>();
}

Result<std::int64_t> read_int(const Json& object, const char* name, std::int64_t if_absent,
                              std::int64_t least, std::int64_t most) {
  const auto field = object.find(name);
  if (field == object.end()) return if_absent;
  if (!field->is_number_integer())
    return fail(Code::kBadRequest, fmt::format("{} is not a whole number", name));
  // A number beyond int64 is kept as an unsigned one.
  const bool fits = !field->is_number_unsigned() || field->get<std::uint64_t>() <= INT64_MAX;
  const auto value = fits ? field->get<std::int64_t>() : INT64_MAX;
  if (!fits || value < least || value > most) {
    return fail(Code::kBadRequest, fmt::format("{} is not within {} and {}", name, least, most));
  }
  return value;
}

Result<std::vector<std::string>> read_texts(const Json& object, const char* name, std::size_t most) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_array() || field->empty()) {
    return fail(Code::kBadRequest, fmt::format("{} is missing, empty or not a list", name));
  }
  if (field->size() > most) return fail(Code::kBadRequest, fmt::format("{} holds more than {}", name, most));
  std::vector<std::string> texts;
  for (const auto& one : *field) {
    if (!one.is_string()) return fail(Code::kBadRequest, fmt::format("{} holds what is not a text", name));
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

void set_bytes(Json& object, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) {
    object[name] = bytes;
  } else {
    object[name + "_base64"] = base64_encode(bytes);
  }
}

Json error_json(const Error& error) {
  Json json = {{"code", code_name(error.code)}, {"message", error.message}};
  if (error.retry_after_ms > 0) json["retry_after_ms"] = error.retry_after_ms;
  return json;
}

Result<client::DeviceType> parse_device(const std::string& name) {
  client::DeviceType type{};
  if (!client::DeviceType_Parse(std::string(kDevicePrefix) + name, &type)) {
    return fail(Code::kBadRequest, fmt::format("no device_type is called {:.32}", name));
  }
  return type;
}

}  // namespace hongyan::logic
