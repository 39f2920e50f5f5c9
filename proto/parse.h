// Messages from bytes.
#pragma once

#include <google/protobuf/message_lite.h>

#include <climits>
#include <string_view>

namespace hongyan {

// Reads the message anew. False: the bytes are not one, or are more than protobuf can read.
[[nodiscard]] inline bool parse(google::protobuf::MessageLite& message, std::string_view bytes) {
  return bytes.size() <= INT_MAX && message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace hongyan
