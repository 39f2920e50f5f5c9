#include "common/config/schema.h"

#include <fmt/format.h>
#include <set>

#include <algorithm>

#include "common/base/assert.h"
#include "common/config/render.h"

namespace hongyan::config {

Key::Key(std::string name, detail::Target target, std::string help)
    : name_(std::move(name)),
      target_(std::move(target)),
      help_(std::move(help)),
      default_text_(detail::render(target_)) {}

Key& Key::range(double low, double high) {
  HONGYAN_ASSERT(std::holds_alternative<double*>(target_));
  double_range_ = {low, high};
  return *this;
}

Key& Key::int_range(std::int64_t low, std::int64_t high) {
  HONGYAN_ASSERT(low <= high);
  if (std::holds_alternative<double*>(target_))
    return range(static_cast<double>(low), static_cast<double>(high));
  int_range_ = {low, high};
  return *this;
}

Key& Key::required() {
  required_ = true;
  return *this;
}

Key& Key::not_empty() {
  not_empty_ = true;
  return *this;
}

Key& Key::one_of(std::vector<std::string> allowed) {
  HONGYAN_ASSERT(std::holds_alternative<std::string*>(target_));
  one_of_ = std::move(allowed);
  return *this;
}

Key& Key::hide(bool (*is_secret)(std::string_view entry)) {
  HONGYAN_ASSERT(std::holds_alternative<std::vector<std::string>*>(target_));
  is_secret_ = is_secret;
  return *this;
}

Key& Key::length(std::size_t low, std::size_t high) {
  length_ = {low, high};
  return *this;
}

std::string Key::check_length(std::string_view text) const {
  if (!length_ || text.empty()) return "";
  const auto [low, high] = *length_;
  if (text.size() >= low && text.size() <= high) return "";
  return fmt::format("must have {} to {} bytes", low, high);
}

void Schema::section(std::string_view name, std::string_view help) {
  sections_.push_back({std::string(name), std::string(help)});
}

Key& Schema::add(std::string_view name, detail::Target target, std::string_view help) {
  HONGYAN_ASSERT(std::ranges::none_of(keys_, [name](const Key& key) { return key.name_ == name; }));
  return keys_.emplace_back(std::string(name), std::move(target), std::string(help));
}

void Schema::check(std::string_view name, std::function<std::string()> rule) {
  rules_.push_back({std::string(name), std::move(rule)});
}

std::string_view weakness_of(std::string_view secret) {
  constexpr std::size_t kFewest = 5;  // different characters
  std::string letters;
  std::set<char> different;
  for (const char c : secret) {
    different.insert(c);
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    if (lower >= 'a' && lower <= 'z') letters += lower;
  }
  if (letters.find("changeme") != std::string::npos) return "is a sample secret";
  if (secret.size() >= 2 * kFewest && different.size() < kFewest) return "is easy to guess";
  return {};
}

}  // namespace hongyan::config
