// The topic im.events of the cluster.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/kafka_reader.h"
#include "tools/support/cluster.h"

namespace hongyan::e2e {

// The user's events so far, in order.
[[nodiscard]] inline std::vector<nlohmann::json> events_of(const std::string& uid) {
  std::vector<nlohmann::json> out;
  for (const auto& message : test::read_topic(tools::Cluster::get().variable("HONGYAN_KAFKA"), "im.events")) {
    if (message.key == uid) out.push_back(nlohmann::json::parse(message.value.value()));
  }
  return out;
}

}  // namespace hongyan::e2e
