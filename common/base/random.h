// Randomness, seeded by the system's generator. Any thread; an assertion fails when the system has none.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace hongyan {

void random_bytes(std::span<unsigned char> out);
// 64 bits, never 0: boot ids, session ids.
[[nodiscard]] std::uint64_t random_id();
// 32 hexadecimal digits: ids that are unique for ever, as client_msg_id must be.
[[nodiscard]] std::string random_id_text();
// In [0, 1), from a fast generator of the thread's own: for jitter, not for secrets.
[[nodiscard]] double random_fraction();

}  // namespace hongyan
