// Walks a TOML file along a schema: what is there, what is missing, what nobody knows.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "common/config/assign.h"
#include "common/config/read_file.h"
#include "common/config/render.h"
#include "common/config/schema.h"
#include "common/config/secret.h"
#include "common/config/suggestion.h"

namespace hongyan::config {

namespace detail {

namespace {

constexpr std::size_t kMaxFileBytes = 16 << 20;

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
  std::vector<Problem> problems;  // in the order of the file
  struct Secret {
    toml::source_position at;
    std::string name;
    std::string_view weakness;
  };
  std::vector<Secret> weak_secrets;
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
    if (known) return;
    const auto place = [](const Problem& p) { return std::tuple(p.line, p.column); };
    const auto behind = std::ranges::upper_bound(
        problems, std::tuple<std::uint32_t, std::uint32_t>(at.line, at.column), {}, place);
    problems.insert(behind, {at.line, at.column, std::move(text)});
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
    const auto* text = chosen->as_string();
    const std::string error =
        text == nullptr ? "must be a text" : SecretReader::read(key, text->get(), folder);
    if (!error.empty()) {
      report(chosen->source().begin, name, error);
    } else if (const std::string_view weakness = weakness_of(key, text->get()); !weakness.empty()) {
      weak_secrets.push_back({chosen->source().begin, name, weakness});
    }
  }

  // file: of the secret, when it is in one.
  [[nodiscard]] std::string_view weakness_of(const Key& key, const std::string& file) const {
    const bool in_file = key.secret_key_.ends_with("_file") && key.secret_key_ != key.name_;
    std::error_code ec;
    const auto status = std::filesystem::status(std::filesystem::path(folder) / file, ec);
    const bool for_all =
        (status.permissions() & std::filesystem::perms::others_read) != std::filesystem::perms::none;
    if (in_file && !ec && for_all && !is_of_container(file))
      return "is in a file that everybody may read (chmod o=)";
    return config::weakness_of(*std::get<SecretTarget>(key.target_).value);
  }
  // Where container engines put secrets, readable for all in the one container.
  [[nodiscard]] static bool is_of_container(const std::string& file) {
    return file.starts_with("/run/secrets/");
  }

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

  void finish() {
    if (dev == nullptr || !*dev) {
      for (const auto& secret : weak_secrets) {
        report(secret.at, secret.name,
               fmt::format("{}; set a real one (only \"dev = true\" accepts this)", secret.weakness));
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
    if (!refuse_samples) loader.weak_secrets.clear();
    loader.finish();
  } catch (const toml::parse_error& e) {
    loader.report(e.source().begin, "", e.description());
  }
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
