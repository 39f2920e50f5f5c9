// Loading: toml++ stays inside this file.
#include <toml++/toml.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <tuple>

#include "common/config/render.h"
#include "common/config/schema.h"

namespace hongyan::config {

namespace detail {

namespace {

constexpr std::size_t kMaxFileBytes = 16 << 20;

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

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec)) return fail(Code::kNotFound, "is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "cannot be opened");
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) return fail(Code::kNotFound, "cannot be read");
  if (text.size() > limit) return fail(Code::kTooLarge, "is too large");
  return text;
}

}  // namespace

// Fills one schema from one table; elements of arrays of tables get a loader call each.
struct Loader {
  struct Problem {
    std::uint32_t line = 0;  // 0: the file as a whole
    std::uint32_t column = 0;
    std::string text;
  };
  std::string folder;
  const bool* dev = nullptr;
  std::vector<Problem> problems;
  struct Secret {
    toml::source_position at;
    std::string name;
  };
  std::vector<Secret> sample_secrets;
  struct PlacedRule {
    toml::source_position at;
    std::string name;
    std::function<std::string()> rule;
  };
  std::vector<PlacedRule> rules;

  void report(toml::source_position at, std::string_view name, std::string_view what) {
    std::string text = name.empty() ? std::string(what) : fmt::format("{}: {}", name, what);
    const bool known = std::ranges::any_of(problems, [&](const Problem& p) {
      return p.line == at.line && p.column == at.column && p.text == text;
    });
    if (!known) problems.push_back({at.line, at.column, std::move(text)});
  }

  // path: what stands before the names of this schema in messages, "" or "mysql.shards[1].".
  void load(Schema& schema, const toml::table& root, const std::string& path) {
    for (Key& key : schema.keys_) load_key(key, root, path);
    find_unknown(schema, root, path, "");
    for (const auto& rule : schema.rules_) {
      const Found found = find(root, rule.name, path);
      rules.push_back(
          {found.node != nullptr ? found.node->source().begin : found.parent, path + rule.name, rule.rule});
    }
  }

  struct Found {
    const toml::node* node = nullptr;
    toml::source_position parent{};  // of the innermost table that is there
  };

  Found find(const toml::table& root, std::string_view name, const std::string& path) {
    const toml::table* table = &root;
    std::size_t start = 0;
    for (;;) {
      const auto dot = name.find('.', start);
      const toml::node* node =
          table->get(name.substr(start, dot == std::string_view::npos ? dot : dot - start));
      if (node == nullptr || dot == std::string_view::npos) return {node, table->source().begin};
      if (!node->is_table()) {
        report(node->source().begin, path + std::string(name.substr(0, dot)), "must be a table");
        return {nullptr, table->source().begin};
      }
      table = node->as_table();
      start = dot + 1;
    }
  }

  void load_key(Key& key, const toml::table& root, const std::string& path) {
    if (std::holds_alternative<SecretTarget>(key.target_)) {
      load_secret(key, root, path);
      return;
    }
    const Found found = find(root, key.name_, path);
    const std::string name = path + key.name_;
    if (found.node == nullptr) {
      if (key.required_) report(path.empty() ? toml::source_position{} : found.parent, name, "is required");
      return;
    }
    const auto at = found.node->source().begin;
    if (const auto* tables = std::get_if<TablesTarget>(&key.target_)) {
      load_tables(key, *tables, *found.node, name);
    } else if (const std::string error = assign(key, *found.node); !error.empty()) {
      report(at, name, error);
    } else if ((key.required_ || key.not_empty_) && is_empty(key.target_)) {
      report(at, name, "must not be empty");
    }
  }

  void load_tables(Key& key, const TablesTarget& target, const toml::node& node, const std::string& name) {
    const toml::array* array = node.as_array();
    if (array == nullptr) {
      report(node.source().begin, name, fmt::format("must be {}", type_name(target)));
      return;
    }
    if (key.required_ && array->empty()) report(node.source().begin, name, "must not be empty");
    target.resize(array->size());
    key.elements_.clear();
    for (std::size_t i = 0; i < array->size(); ++i) {
      const auto& element = key.elements_.emplace_back(std::make_shared<Schema>());
      target.bind(*element, i);
      const toml::node& inner = (*array)[i];
      const std::string inner_name = fmt::format("{}[{}]", name, i);
      if (const toml::table* table = inner.as_table()) {
        load(*element, *table, inner_name + ".");
      } else {
        report(inner.source().begin, inner_name, "must be a table");
      }
    }
  }

  // secret = "…", secret_file = "…" or secret_env = "…".
  void load_secret(Key& key, const toml::table& root, const std::string& path) {
    key.secret_key_.clear();
    key.secret_source_.clear();
    const toml::node* chosen = nullptr;
    toml::source_position parent{};
    for (const std::string_view suffix : {"", "_file", "_env"}) {
      const std::string name = key.name_ + std::string(suffix);
      const Found found = find(root, name, path);
      parent = found.parent;
      if (found.node == nullptr) continue;
      if (chosen != nullptr) {
        report(found.node->source().begin, path + name,
               "more than one of the secret, its _file and its _env");
        return;
      }
      chosen = found.node;
      key.secret_key_ = name;
    }
    const std::string name = path + (chosen == nullptr ? key.name_ : key.secret_key_);
    if (chosen == nullptr) {
      if (key.required_) {
        report(path.empty() ? toml::source_position{} : parent, name, "is required (or as _file or _env)");
      }
      return;
    }
    if (const std::string error = read_secret(key, *chosen); !error.empty()) {
      report(chosen->source().begin, name, error);
    } else if (is_sample_secret(*std::get<SecretTarget>(key.target_).value)) {
      sample_secrets.push_back({chosen->source().begin, name});
    }
  }

  std::string read_secret(Key& key, const toml::node& node) {
    if (!node.is_string()) return "must be a text";
    const std::string& text = node.as_string()->get();
    std::string& secret = *std::get<SecretTarget>(key.target_).value;
    if (key.secret_key_.ends_with("_file") && key.secret_key_ != key.name_) {
      const auto file = (std::filesystem::path(folder) / text).string();
      auto content = read_file(file, 1 << 16);
      if (!content) return fmt::format("the file {} {}", quote(file), content.error().message);
      secret = std::move(*content);
      if (secret.ends_with('\n')) secret.pop_back();
      if (secret.ends_with('\r')) secret.pop_back();
      key.secret_source_ = text;
    } else if (key.secret_key_.ends_with("_env") && key.secret_key_ != key.name_) {
      const char* value = std::getenv(text.c_str());  // NOLINT(concurrency-mt-unsafe): at start, one thread
      if (value == nullptr) return fmt::format("the environment has no {}", quote(text));
      secret = value;
      key.secret_source_ = text;
    } else {
      secret = text;
    }
    if (secret.empty()) return key.required_ ? "must not be empty" : "";
    return check_length(key, secret);
  }

  static bool is_empty(const Target& target) {
    if (const auto* text = std::get_if<std::string*>(&target)) return (*text)->empty();
    if (const auto* endpoint = std::get_if<Endpoint*>(&target)) return !(*endpoint)->set();
    if (const auto* texts = std::get_if<std::vector<std::string>*>(&target)) return (*texts)->empty();
    if (const auto* endpoints = std::get_if<std::vector<Endpoint>*>(&target)) return (*endpoints)->empty();
    return false;
  }

  static std::string check_length(const Key& key, std::string_view text) {
    if (!key.length_ || text.empty()) return "";
    const auto [low, high] = *key.length_;
    if (text.size() >= low && text.size() <= high) return "";
    return fmt::format("must have {} to {} bytes", low, high);
  }

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

  // Each overload returns what is wrong, or "".
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
    return check_length(key, text);
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

  // below: dotted prefix inside the schema, "" or "gate.".
  void find_unknown(const Schema& schema, const toml::table& table, const std::string& path,
                    const std::string& below) {
    for (const auto& [key, node] : table) {
      const std::string name = below + std::string(key.str());
      const auto names = names_of(schema);
      if (std::ranges::find(names, name) != names.end()) continue;
      const bool section =
          std::ranges::any_of(names, [&](const std::string& known) { return known.starts_with(name + "."); });
      if (!section) {
        report(key.source().begin, path + name, "unknown key" + suggestion(names, name, path));
      } else if (const toml::table* inner = node.as_table()) {
        find_unknown(schema, *inner, path, name + ".");
      } else {
        report(node.source().begin, path + name, "must be a table");
      }
    }
  }

  static std::vector<std::string> names_of(const Schema& schema) {
    std::vector<std::string> names;
    for (const Key& key : schema.keys_) {
      names.push_back(key.name_);
      if (!std::holds_alternative<SecretTarget>(key.target_)) continue;
      names.push_back(key.name_ + "_file");
      names.push_back(key.name_ + "_env");
    }
    return names;
  }

  static std::string suggestion(const std::vector<std::string>& names, const std::string& name,
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

  void finish() {
    if (dev == nullptr || !*dev) {
      for (const auto& secret : sample_secrets) {
        report(secret.at, secret.name,
               "is a sample secret; set a real one (only \"dev = true\" accepts this)");
      }
    }
    if (!problems.empty()) return;
    for (const auto& rule : rules) {
      if (const std::string what = rule.rule(); !what.empty()) report(rule.at, rule.name, what);
    }
  }
};

}  // namespace detail

std::vector<std::string> Schema::load_text(std::string_view text, std::string_view source,
                                           const std::string& folder) {
  detail::Loader loader;
  loader.folder = folder;
  loader.dev = dev_;
  bool refuse_samples = dev_ != nullptr;
  try {
    const toml::table root = toml::parse(text);
    loader.load(*this, root, "");
    if (!refuse_samples) loader.sample_secrets.clear();
    loader.finish();
  } catch (const toml::parse_error& e) {
    loader.report(e.source().begin, "", e.description());
  }
  std::ranges::stable_sort(loader.problems, {}, [](const auto& p) { return std::tuple(p.line, p.column); });
  std::vector<std::string> errors;
  for (const auto& problem : loader.problems) {
    errors.push_back(problem.line == 0
                         ? fmt::format("{}: {}", source, problem.text)
                         : fmt::format("{}:{}:{}: {}", source, problem.line, problem.column, problem.text));
  }
  return errors;
}

std::vector<std::string> Schema::load_file(const std::string& path) {
  const auto text = detail::read_file(path, detail::kMaxFileBytes);
  if (!text) return {fmt::format("{}: {}", path, text.error().message)};
  const auto folder = std::filesystem::path(path).parent_path().string();
  return load_text(*text, path, folder.empty() ? "." : folder);
}

}  // namespace hongyan::config
