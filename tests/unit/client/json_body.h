// Bodies of packets as the scenarios write them (client/scenarios/README.md).
#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>

namespace hongyan::client {

// Throws std::invalid_argument for what the message does not have.
void fill(google::protobuf::Message& message, const nlohmann::json& fields);

// "" or where the message is not what is expected. Fields that are not named do not matter.
[[nodiscard]] std::string difference(const google::protobuf::Message& message,
                                     const nlohmann::json& expected);
// The same of two values: objects as above, arrays element by element.
[[nodiscard]] std::string difference(const nlohmann::json& actual, const nlohmann::json& expected);

// A new, empty body of this name: "PullReq".
[[nodiscard]] std::unique_ptr<google::protobuf::Message> new_body(const std::string& name);

}  // namespace hongyan::client
