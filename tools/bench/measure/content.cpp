#include "tools/bench/measure/content.h"

#include <cstring>

namespace hongyan::bench {

Content::Content(std::size_t size) : size_(size), pattern_(size + 255, '\0') {
  for (std::size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = static_cast<char>(i * 31);
}

void Content::fill(std::string& out, std::uint32_t number) const {
  out.assign(pattern_of(number));
  std::memcpy(out.data(), &number, sizeof(number));
}

bool Content::same(std::string_view content, std::uint32_t number) const noexcept {
  return content.size() == size_ && number_of(content) == number &&
         content.substr(sizeof(number)) == pattern_of(number).substr(sizeof(number));
}

std::uint32_t Content::number_of(std::string_view content) noexcept {
  std::uint32_t number = 0;
  if (content.size() >= sizeof(number)) std::memcpy(&number, content.data(), sizeof(number));
  return number;
}

}  // namespace hongyan::bench
