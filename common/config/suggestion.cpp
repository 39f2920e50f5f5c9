#include "common/config/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>

namespace hongyan::config::detail {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string suggestion(const std::vector<std::string>& names, const std::string& name,
                       const std::string& path) {
  std::vector<std::string> candidates = names;
  for (const auto& known : names) {
    for (auto dot = known.find('.'); dot != std::string::npos; dot = known.find('.', dot + 1)) {
      candidates.push_back(known.substr(0, dot));
    }
  }
  const auto leaf = name.substr(name.rfind('.') + 1);
  std::tuple<std::size_t, std::string> best{std::max<std::size_t>(2, leaf.size() / 3) + 1, ""};
  for (const auto& candidate : candidates)
    best = std::min(best, std::tuple(edit_distance(candidate, name), candidate));
  // The same last word under another section.
  if (std::get<1>(best).empty()) {
    for (const auto& candidate : names) {
      if (candidate.ends_with("." + leaf)) std::get<1>(best) = candidate;
    }
  }
  return std::get<1>(best).empty() ? "" : fmt::format(", did you mean {}{}?", path, std::get<1>(best));
}

}  // namespace hongyan::config::detail
