#include "common/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace hongyan {

void assert_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "fatal: broken invariant %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace hongyan
