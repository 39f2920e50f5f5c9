// The bytes of test messages: every byte is known from the message's number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hongyan::bench {

// Contents of one size: the number (4 bytes), then a pattern that holds every value of a byte and differs
// from number to number. Immutable; any thread.
class Content {
 public:
  static constexpr std::size_t kLeastSize = 4;

  // size: at least kLeastSize, bytes.
  explicit Content(std::size_t size);

  void fill(std::string& out, std::uint32_t number) const;
  [[nodiscard]] bool same(std::string_view content, std::uint32_t number) const noexcept;
  // The number that a content claims to have; 0 when it is too short to claim one.
  [[nodiscard]] static std::uint32_t number_of(std::string_view content) noexcept;

 private:
  [[nodiscard]] std::string_view pattern_of(std::uint32_t number) const noexcept {
    return std::string_view(pattern_).substr(number % 256, size_);
  }

  std::size_t size_;
  std::string pattern_;  // size_ + 255 bytes: each number begins at another place of it
};

}  // namespace hongyan::bench
