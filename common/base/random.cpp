#include "common/base/random.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <random>

#include "common/base/assert.h"

namespace hongyan {

void random_bytes(std::span<unsigned char> out) {
  HONGYAN_ASSERT(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

std::uint64_t random_id() {
  std::array<unsigned char, 8> bytes;
  std::uint64_t id = 0;
  while (id == 0) {
    random_bytes(bytes);
    for (const unsigned char byte : bytes) id = (id << 8) | byte;
  }
  return id;
}

std::string random_id_text() { return fmt::format("{:016x}{:016x}", random_id(), random_id()); }

double random_fraction() {
  thread_local std::minstd_rand generator(static_cast<std::uint32_t>(random_id()));
  return std::uniform_real_distribution(0.0, 1.0)(generator);
}

}  // namespace hongyan
