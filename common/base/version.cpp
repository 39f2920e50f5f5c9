#include "common/base/version.h"

namespace hongyan {

const char* version() noexcept { return HONGYAN_VERSION; }

}  // namespace hongyan
