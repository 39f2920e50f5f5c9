// Reading what callers of the server API send, and writing what may not be UTF-8.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

using Json = nlohmann::json;

// A JSON object with no other fields than the known ones, nested at most 8 deep. "" is an empty object. Every
// error here is kBadRequest and names the field.
[[nodiscard]] Result<Json> parse_object(std::string_view text, std::initializer_list<std::string_view> known);

// A text that must be there; "" is allowed.
[[nodiscard]] Result<std::string> read_text(const Json& object, const char* name);
// An id of 1 to `most` bytes, without NUL, that must be there.
[[nodiscard]] Result<std::string> read_id(const Json& object, const char* name, std::size_t most);
// A group's id: a positive number, or a text of its decimal digits (numbers of JSON lose digits in some
// readers).
[[nodiscard]] Result<std::int64_t> read_group_id(const Json& object, const char* name);
[[nodiscard]] Result<bool> read_bool(const Json& object, const char* name, bool if_absent);
[[nodiscard]] Result<std::int64_t> read_int(const Json& object, const char* name, std::int64_t if_absent,
                                            std::int64_t least, std::int64_t most);
// A list of 1 to `most` texts, of any content.
[[nodiscard]] Result<std::vector<std::string>> read_texts(const Json& object, const char* name,
                                                          std::size_t most);

// NAME, or NAME_base64 when the bytes are not UTF-8.
void set_bytes(Json& object, const std::string& name, const std::string& bytes);
[[nodiscard]] Json error_json(const Error& error);

// The opposite of device_name().
[[nodiscard]] Result<client::DeviceType> parse_device(const std::string& name);

}  // namespace hongyan::logic
