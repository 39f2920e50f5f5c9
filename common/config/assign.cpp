#include "common/config/assign.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/config/render.h"

namespace hongyan::config::detail {

// Each overload of assign_to() returns what is wrong, or "".
struct Assigner {
  static std::string check_range(const Key& key, std::int64_t value) {
    if (!key.int_range_ || (value >= key.int_range_->low && value <= key.int_range_->high)) return "";
    const auto [low, high] = *key.int_range_;
    if (std::holds_alternative<Milliseconds*>(key.target_)) {
      return fmt::format("{} is out of range, {} to {}", format_duration(Milliseconds(value)),
                         format_duration(Milliseconds(low)), format_duration(Milliseconds(high)));
    }
    if (std::holds_alternative<SizeTarget>(key.target_)) {
      return fmt::format("{} is out of range, {} to {}", format_size(static_cast<std::uint64_t>(value)),
                         format_size(static_cast<std::uint64_t>(low)),
                         format_size(static_cast<std::uint64_t>(high)));
    }
    return fmt::format("{} is out of range, {} to {}", value, low, high);
  }

  static std::string assign(const Key& key, const toml::node& node) {
    return std::visit([&](const auto& target) { return assign_to(key, node, target); }, key.target_);
  }
  static std::string wrong_type(const Key& key) { return fmt::format("must be {}", type_name(key.target_)); }

  static std::string assign_to(const Key& key, const toml::node& node, bool* field) {
    if (!node.is_boolean()) return wrong_type(key);
    *field = node.as_boolean()->get();
    return "";
  }
  template <std::integral T>
  static std::string assign_to(const Key& key, const toml::node& node, T* field) {
    if (!node.is_integer()) return wrong_type(key);
    const std::int64_t value = node.as_integer()->get();
    if (std::string error = check_range(key, value); !error.empty()) return error;
    if (!std::in_range<T>(value)) {
      return fmt::format("{} is out of range, {} to {}", value, std::numeric_limits<T>::min(),
                         std::numeric_limits<T>::max());
    }
    *field = static_cast<T>(value);
    return "";
  }
  static std::string assign_to(const Key& key, const toml::node& node, double* field) {
    if (!node.is_floating_point() && !node.is_integer()) return wrong_type(key);
    const double value =
        node.is_integer() ? static_cast<double>(node.as_integer()->get()) : node.as_floating_point()->get();
    if (!(std::abs(value) <= std::numeric_limits<double>::max())) return "must be finite";
    if (key.double_range_ && (value < key.double_range_->low || value > key.double_range_->high)) {
      return fmt::format("{} is out of range, {} to {}", value, key.double_range_->low,
                         key.double_range_->high);
    }
    *field = value;
    return "";
  }
  static std::string assign_to(const Key& key, const toml::node& node, std::string* field) {
    if (!node.is_string()) return wrong_type(key);
    const std::string& text = node.as_string()->get();
    if (!key.one_of_.empty() && std::ranges::find(key.one_of_, text) == key.one_of_.end()) {
      return fmt::format("{} is not one of {}", quote(text), fmt::join(key.one_of_, ", "));
    }
    *field = text;
    return key.check_length(text);
  }
  static std::string assign_to(const Key& key, const toml::node& node, Milliseconds* field) {
    if (!node.is_string()) return wrong_type(key);
    const auto value = parse_duration(node.as_string()->get());
    if (!value) return value.error().message;
    *field = *value;
    return check_range(key, value->count());
  }
  static std::string assign_to(const Key& key, const toml::node& node, const SizeTarget& target) {
    if (node.is_integer() && node.as_integer()->get() >= 0) {
      *target.value = static_cast<std::size_t>(node.as_integer()->get());
    } else if (node.is_string()) {
      const auto value = parse_size(node.as_string()->get());
      if (!value) return value.error().message;
      *target.value = *value;
    } else {
      return wrong_type(key);
    }
    return check_range(key, static_cast<std::int64_t>(*target.value));
  }
  static std::string assign_to(const Key& key, const toml::node& node, Endpoint* field) {
    if (!node.is_string()) return wrong_type(key);
    return assign_endpoint(node.as_string()->get(), *field, true);
  }
  static std::string assign_endpoint(const std::string& text, Endpoint& field, bool may_be_empty) {
    if (text.empty() && may_be_empty) {
      field = {};
      return "";
    }
    auto value = parse_endpoint(text);
    if (!value) return value.error().message;
    field = std::move(*value);
    return "";
  }
  template <typename T>
  static std::string assign_to(const Key& key, const toml::node& node, std::vector<T>* field) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return wrong_type(key);
    field->clear();
    for (const toml::node& element : *array) {
      if (!element.is_string()) return wrong_type(key);
      T& value = field->emplace_back();
      if constexpr (std::is_same_v<T, Endpoint>) {
        if (std::string error = assign_endpoint(element.as_string()->get(), value, false); !error.empty())
          return error;
      } else {
        value = element.as_string()->get();
      }
    }
    return "";
  }
  static std::string assign_to(const Key&, const toml::node&, const SecretTarget&) { return ""; }
  static std::string assign_to(const Key&, const toml::node&, const TablesTarget&) { return ""; }
};

std::string assign(const Key& key, const toml::node& node) { return Assigner::assign(key, node); }

bool is_empty(const Target& target) {
  if (const auto* text = std::get_if<std::string*>(&target)) return (*text)->empty();
  if (const auto* endpoint = std::get_if<Endpoint*>(&target)) return !(*endpoint)->set();
  if (const auto* texts = std::get_if<std::vector<std::string>*>(&target)) return (*texts)->empty();
  if (const auto* endpoints = std::get_if<std::vector<Endpoint>*>(&target)) return (*endpoints)->empty();
  return false;
}

}  // namespace hongyan::config::detail
