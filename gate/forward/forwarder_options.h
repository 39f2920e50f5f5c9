// How requests go to logic: a part of [gate].
#pragma once

#include "common/base/clock.h"
#include "common/link/link.h"
#include "common/owners/router.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::gate {

struct ForwarderOptions {
  owners::RouterOptions router{.max_held_bytes = 256 << 20};  // which is for all loops together
  Milliseconds alive_report{30000};
  link::LinkOptions link;

  // For one of so many loops.
  [[nodiscard]] ForwarderOptions share_of(std::size_t loops) const {
    ForwarderOptions one = *this;
    one.router.max_held_bytes /= loops;
    return one;
  }
};

// The options outlive the schema.
void bind(config::Schema& schema, ForwarderOptions& options);

}  // namespace hongyan::gate
