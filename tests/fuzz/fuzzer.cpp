// hongyan-fuzz: libFuzzer on the target that HONGYAN_FUZZ_TARGET names.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.h"

namespace {
const hongyan::fuzz::Target* chosen = nullptr;
}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("HONGYAN_FUZZ_TARGET");
  for (const auto& target : hongyan::fuzz::targets()) {
    if (name != nullptr && target.name == name) chosen = &target;
  }
  if (chosen != nullptr) return 0;
  std::fprintf(stderr, "HONGYAN_FUZZ_TARGET is to be one of:");
  for (const auto& target : hongyan::fuzz::targets()) std::fprintf(stderr, " %s", target.name.data());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
