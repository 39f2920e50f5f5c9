#include "gate/session/proto_glance.h"

#include <cstddef>

namespace hongyan::gate {

namespace {

constexpr std::uint64_t kMaxTag = 0xFFFFFFFF;
constexpr std::uint64_t kPushAckSeq = 2;

enum WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

bool take_varint(std::string_view& bytes, std::uint64_t& value) noexcept {
  value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= std::uint64_t{byte & 0x7FU} << (7 * i);
    if ((byte & 0x80U) == 0) {
      bytes.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool take(std::string_view& bytes, std::uint64_t count) noexcept {
  if (count > bytes.size()) return false;
  bytes.remove_prefix(static_cast<std::size_t>(count));
  return true;
}

// Calls on_varint(field, value) for each varint field.
template <typename OnVarint>
bool walk(std::string_view bytes, OnVarint on_varint) noexcept {
  while (!bytes.empty()) {
    std::uint64_t tag = 0;
    std::uint64_t value = 0;
    if (!take_varint(bytes, tag) || tag > kMaxTag || (tag >> 3) == 0) return false;
    switch (tag & 7U) {
      case kVarint:
        if (!take_varint(bytes, value)) return false;
        on_varint(tag >> 3, value);
        break;
      case kFixed64:
        if (!take(bytes, 8)) return false;
        break;
      case kBytes:
        if (!take_varint(bytes, value) || !take(bytes, value)) return false;
        break;
      case kFixed32:
        if (!take(bytes, 4)) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}

}  // namespace

bool well_formed(std::string_view body) noexcept {
  return walk(body, [](std::uint64_t, std::uint64_t) {});
}

bool read_push_ack(std::string_view body, std::int64_t& seq) noexcept {
  seq = 0;
  return walk(body, [&seq](std::uint64_t field, std::uint64_t value) {
    if (field == kPushAckSeq) seq = static_cast<std::int64_t>(value);
  });
}

}  // namespace hongyan::gate
