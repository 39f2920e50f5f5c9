#include "common/base/slot.h"

#include <xxhash.h>

#include <array>
#include <cstring>
#include <string>

namespace hongyan {

Slot slot_of(std::string_view app_id, std::string_view id) noexcept {
  std::array<char, 256> small;
  const std::size_t size = app_id.size() + 1 + id.size();
  if (size <= small.size()) {
    std::memcpy(small.data(), app_id.data(), app_id.size());
    small[app_id.size()] = '\0';
    std::memcpy(small.data() + app_id.size() + 1, id.data(), id.size());
    return static_cast<Slot>(XXH3_64bits(small.data(), size) % kSlotCount);
  }
  std::string key;
  key.reserve(size);
  key.append(app_id).append(1, '\0').append(id);
  return static_cast<Slot>(XXH3_64bits(key.data(), key.size()) % kSlotCount);
}

}  // namespace hongyan
