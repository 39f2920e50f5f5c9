// JSON lines of hongyan-chat.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/base/text.h"

namespace hongyan::chat {

using Json = nlohmann::ordered_json;

inline std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Bytes that are not UTF-8 stand, in base64, in NAME_base64.
inline void set_bytes(Json& json, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) {
    json[name] = bytes;
  } else {
    json[name + "_base64"] = base64_encode(bytes);
  }
}

}  // namespace hongyan::chat
