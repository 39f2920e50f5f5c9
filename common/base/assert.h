// Broken invariants stop the process: going on could write what is not true.
#pragma once

namespace hongyan {

[[noreturn]] void assert_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace hongyan

// Checked in every build. Not for bad input: that is an Error.
#define HONGYAN_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::hongyan::assert_failed(#expression, __FILE__, __LINE__))

// Checked in debug and sanitizer builds only: for hot paths (owner-thread checks).
#ifdef NDEBUG
#define HONGYAN_DEBUG_ASSERT(expression) static_cast<void>(0)
#else
#define HONGYAN_DEBUG_ASSERT(expression) HONGYAN_ASSERT(expression)
#endif
