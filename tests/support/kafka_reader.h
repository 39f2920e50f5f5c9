// What stands in a topic.
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

// The value of a header, or "".
[[nodiscard]] std::string header(const KafkaMessage& message, const std::string& name);

}  // namespace hongyan::test
