// [group] of logic's configuration: limits of groups.
#pragma once

#include <cstddef>

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

struct GroupConfig {
  std::size_t large_threshold = 500;  // members beyond which messages are stored once
  std::size_t max_members = 10'000;
  std::size_t max_members_of_call = 1000;
  std::size_t max_members_told = 20;  // names of those who joined or left, in what each member gets of it
  std::size_t max_name_bytes = 256;
  std::size_t max_announcement_bytes = 4096;
  std::size_t max_mentions = 100;
  std::size_t max_groups_of_user = 5000;  // who is in as many creates no more and is added to none by clients
  std::size_t members_in_memory = 2'000'000;  // a thread's, of groups that nothing is under way for
};

// The configuration outlives the schema.
void bind(config::Schema& schema, GroupConfig& config);

}  // namespace hongyan::logic
