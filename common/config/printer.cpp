// --print-config: the schema and the values as a file that can be loaded again.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/config/render.h"
#include "common/config/schema.h"

namespace hongyan::config {

namespace detail {

namespace {

std::string_view parent_of(std::string_view name) noexcept {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}
std::string_view leaf_of(std::string_view name) noexcept {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

void comment(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    out += fmt::format("# {}\n", text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

}  // namespace

// Collects the text of one schema (the whole file, or one element of an array of tables).
struct Printer {
  std::string out;
  bool commented = false;  // an example: nothing of it may take effect

  void print(const Schema& schema, const std::string& prefix) {
    print_level(schema, prefix, "");
    std::set<std::string, std::less<>> done;
    for (const Key& key : schema.keys_) {
      const auto parent = parent_of(key.name_);
      if (!parent.empty() && !std::holds_alternative<TablesTarget>(key.target_) &&
          done.emplace(parent).second) {
        print_section(schema, prefix, parent);
      }
    }
    for (const Key& key : schema.keys_) {
      if (const auto* tables = std::get_if<TablesTarget>(&key.target_)) print_tables(key, *tables, prefix);
    }
  }

  void print_section(const Schema& schema, const std::string& prefix, std::string_view name) {
    out += '\n';
    for (const auto& section : schema.sections_) {
      if (section.name == name) comment(out, section.help);
    }
    line(fmt::format("[{}{}]", prefix, name));
    print_level(schema, prefix, name);
  }

  // The plain keys right under `parent`.
  void print_level(const Schema& schema, const std::string& prefix, std::string_view parent) {
    for (const Key& key : schema.keys_) {
      if (parent_of(key.name_) != parent || std::holds_alternative<TablesTarget>(key.target_)) continue;
      if (!parent.empty() || !prefix.empty() || !out.empty()) out += '\n';
      print_key(key);
    }
  }

  void print_key(const Key& key) {
    comment(out, key.help_);
    const auto name = leaf_of(key.name_);
    if (std::holds_alternative<SecretTarget>(key.target_)) {
      print_secret(key, name);
      return;
    }
    out +=
        fmt::format("# {}default: {}{}\n", key.required_ ? "Required; " : "", key.default_text_, limits(key));
    std::vector<std::string> shown;
    const std::size_t hidden = take_shown(key, shown);
    if (hidden > 0) out += fmt::format("# {} entries are secrets, and are left out.\n", hidden);
    const std::string now = render(hidden > 0 ? Target(&shown) : key.target_);
    if (key.required_ && now == R"("")") {
      out += fmt::format("# {} = {}\n", name, now);
    } else {
      line(fmt::format("{} = {}", name, now));
    }
  }

  // How many entries of a list are left out; `shown`: the others.
  [[nodiscard]] static std::size_t take_shown(const Key& key, std::vector<std::string>& shown) {
    if (key.is_secret_ == nullptr) return 0;
    const auto& entries = *std::get<std::vector<std::string>*>(key.target_);
    for (const std::string& entry : entries) {
      if (!key.is_secret_(entry)) shown.push_back(entry);
    }
    return entries.size() - shown.size();
  }

  void print_secret(const Key& key, std::string_view name) {
    const auto& value = *std::get<SecretTarget>(key.target_).value;
    out += fmt::format("# {}A secret: write {}, {}_file or {}_env.\n", key.required_ ? "Required. " : "",
                       name, name, name);
    if (!key.secret_source_.empty()) {
      line(fmt::format("{} = {}", leaf_of(key.secret_key_), quote(key.secret_source_)));
    } else {
      out += fmt::format("# {} = \"{}\"\n", name, value.empty() ? "" : "(set, hidden)");
    }
  }

  void print_tables(const Key& key, const TablesTarget& tables, const std::string& prefix) {
    const std::string name = prefix + key.name_;
    out += '\n';
    comment(out, key.help_);
    const std::size_t size = tables.size();
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) out += '\n';
      line(fmt::format("[[{}]]", name));
      if (key.elements_.size() == size) {
        print(*key.elements_[i], name + ".");
      } else {
        Schema element;
        tables.bind(element, i);
        print(element, name + ".");
      }
    }
    if (size == 0) print_example(tables, name);
  }

  void print_example(const TablesTarget& tables, const std::string& name) {
    const bool before = commented;
    commented = true;
    Schema fresh;
    const auto example = tables.bind_example(fresh);
    line(fmt::format("[[{}]]", name));
    print(fresh, name + ".");
    commented = before;
  }

  void line(const std::string& text) { out += fmt::format("{}{}\n", commented ? "# " : "", text); }

  static std::string limits(const Key& key) {
    if (key.int_range_) {
      const auto [low, high] = *key.int_range_;
      if (std::holds_alternative<Milliseconds*>(key.target_)) {
        return fmt::format(", from {} to {}", format_duration(Milliseconds(low)),
                           format_duration(Milliseconds(high)));
      }
      if (std::holds_alternative<SizeTarget>(key.target_)) {
        return fmt::format(", from {} to {}", format_size(static_cast<std::uint64_t>(low)),
                           format_size(static_cast<std::uint64_t>(high)));
      }
      return fmt::format(", from {} to {}", low, high);
    }
    if (key.double_range_)
      return fmt::format(", from {} to {}", key.double_range_->low, key.double_range_->high);
    if (key.one_of_.empty()) return "";
    std::string text = ", one of";
    for (const auto& allowed : key.one_of_) text += " " + allowed;
    return text;
  }
};

}  // namespace detail

std::string Schema::print() const {
  detail::Printer printer;
  printer.print(*this, "");
  return std::move(printer.out);
}

}  // namespace hongyan::config
