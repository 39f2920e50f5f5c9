// What stands in a topic, and what its settings are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hongyan::test {

struct KafkaMessage {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string key;
  std::optional<std::string> value;  // empty: null
  std::map<std::string, std::string> headers;
};

// Reads every partition of the topic from its beginning to where it ends now; a partition's messages are in
// order. Blocks. A failure, or a topic that does not exist, fails the running test.
[[nodiscard]] std::vector<KafkaMessage> read_topic(const std::string& brokers, const std::string& topic);

// A setting of the topic, such as max.message.bytes; in force when this returns. Blocks. A failure fails the running
// test.
void set_topic(const std::string& brokers, const std::string& topic, const std::string& name,
               const std::string& value);

// The value of a header, or "".
[[nodiscard]] std::string header(const KafkaMessage& message, const std::string& name);

}  // namespace hongyan::test
