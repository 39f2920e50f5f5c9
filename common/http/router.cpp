#include "common/http/router.h"

#include <algorithm>

#include "common/base/assert.h"

namespace hongyan::http {

namespace {

// "/v1/gates" to v1, gates. A path that ends in a slash has an empty last segment.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_param(std::string_view segment) noexcept { return segment.starts_with('{'); }

}  // namespace

void Router::add(Method method, std::string_view pattern, Handler handler, HeadCheck check) {
  HONGYAN_ASSERT(pattern.starts_with('/'));
  Route route{.method = method,
              .segments = {},
              .literals = 0,
              .handler = std::move(handler),
              .check = std::move(check)};
  for (const auto segment : split(pattern)) {
    route.segments.emplace_back(segment);
    if (!is_param(segment)) ++route.literals;
  }
  routes_.push_back(std::move(route));
}

Router::Outcome Router::find(Method method, std::string_view path) const {
  std::vector<std::string> segments;
  for (const auto raw : split(path)) {
    auto decoded = percent_decode(raw);
    if (!decoded) return BadPath{};
    segments.push_back(std::move(*decoded));
  }
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  const Route* best = nullptr;
  std::vector<std::string_view> allowed;
  for (const auto& route : routes_) {
    const bool fits =
        std::ranges::equal(route.segments, segments, [](const auto& pattern, const auto& segment) {
          return is_param(pattern) ? !segment.empty() : pattern == segment;
        });
    if (!fits) continue;
    allowed.push_back(to_string(route.method));
    if (route.method == Method::kGet) allowed.push_back(to_string(Method::kHead));
    if (route.method == wanted && (best == nullptr || route.literals > best->literals)) best = &route;
  }
  if (best != nullptr) {
    Match match{.handler = &best->handler, .check = &best->check, .params = {}};
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const std::string_view pattern = best->segments[i];
      if (is_param(pattern)) match.params.emplace_back(pattern.substr(1, pattern.size() - 2), segments[i]);
    }
    return match;
  }
  if (allowed.empty()) return NotFound{};
  std::ranges::sort(allowed);
  MethodNotAllowed refusal;
  for (const auto name : allowed) {
    if (refusal.allow.find(name) != std::string::npos) continue;
    if (!refusal.allow.empty()) refusal.allow += ", ";
    refusal.allow += name;
  }
  return refusal;
}

}  // namespace hongyan::http
