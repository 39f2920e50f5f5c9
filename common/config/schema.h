// A typed description of a configuration file, bound to a struct: names, help texts, limits. From it come
// loading, validation and --print-config.
//
//   GateConfig c;                                   // defaults stand in the struct
//   config::Schema schema;
//   schema.section("gate", "Sessions of clients.");
//   schema.value("gate.workers", c.workers, "Event-loop threads.").range(1, 64);
//   schema.bytes("gate.max_body_bytes", c.max_body_bytes, "Largest body.").range(1 << 10, 1 << 20);
//   schema.list("gate.allowed", c.allowed, "Addresses that may connect.");
//   schema.secret("cluster.secret", c.secret, "Shared by all daemons.").required();
//   schema.tables<ShardConfig>("mysql.shards", "One table a shard.",
//                              [](config::Schema& s, ShardConfig& shard) {
//                                s.value("database", shard.database, "Name of the database.").required();
//                              },
//                              c.shards);
//   for (const auto& error : schema.load_file(path)) fmt::print(stderr, "{}\n", error);
//
// Values in the file, by the type of the field:
//   bool, integers, double       as TOML writes them
//   std::string                  "text"
//   Milliseconds                 "250ms", "30s", "5m", "1h", "2d"
//   bytes()                      "64KiB", "1MiB", "2GiB" or a plain number
//   Endpoint                     "host:port", ":7000", "[::1]:7000"; "" is unset
//   list()                       array of strings, or of endpoints
//   secret("a.secret")           one of secret = "…", secret_file = "path" (relative to the file's
//                                folder; the last line end is dropped), secret_env = "NAME"; never printed
//
// An unknown key, a wrong type, a bad unit, a value out of range, a missing required key: an error each, as
// "gate.toml:12:3: gate.wokers: unknown key, did you mean gate.workers?". All are reported, not only the
// first.
//
// The bound fields must outlive the schema. Used by one thread, at start. Programming errors (a key twice)
// abort.
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/config/values.h"

namespace hongyan::config {

class Schema;

namespace detail {
struct SizeTarget {
  std::size_t* value;
};
struct SecretTarget {
  std::string* value;
};
// A vector of structs, behind functions so that the schema need not know the type.
struct TablesTarget {
  std::function<std::size_t()> size;
  std::function<void(std::size_t)> resize;                     // all elements become fresh
  std::function<void(Schema&, std::size_t)> bind;              // binds an element
  std::function<std::shared_ptr<void>(Schema&)> bind_example;  // binds a fresh one, kept alive by the result
};
using Target =
    std::variant<bool*, std::int32_t*, std::uint16_t*, std::uint32_t*, std::int64_t*, std::uint64_t*, double*,
                 std::string*, Milliseconds*, Endpoint*, std::vector<std::string>*, std::vector<Endpoint>*,
                 SizeTarget, SecretTarget, TablesTarget>;
struct Assigner;
struct Loader;
struct Printer;
struct SecretReader;
}  // namespace detail

// One key, with its limits. What the schema's functions return, to add limits by chaining.
class Key {
 public:
  Key(std::string name, detail::Target target, std::string help);

  // Both ends are allowed values. For integers, doubles, durations and sizes.
  template <std::integral A, std::integral B>
  Key& range(A low, B high) {
    return int_range(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high));
  }
  Key& range(double low, double high);
  Key& range(Milliseconds low, Milliseconds high) { return int_range(low.count(), high.count()); }
  // The key must be there; a text, secret or list must not be empty.
  Key& required();
  // May be left out, which means the default; a text or list that is given must not be empty.
  Key& not_empty();
  // Texts: only these.
  Key& one_of(std::vector<std::string> allowed);
  // Lists: entries of which this is true are left out when the configuration is printed.
  Key& hide(bool (*is_secret)(std::string_view entry));
  // Texts and secrets, in bytes; an empty one is checked by required() only.
  Key& length(std::size_t low, std::size_t high);

 private:
  friend class Schema;
  friend struct detail::Assigner;
  friend struct detail::Loader;
  friend struct detail::Printer;
  friend struct detail::SecretReader;
  template <typename T>
  struct Range {
    T low;
    T high;
  };
  Key& int_range(std::int64_t low, std::int64_t high);
  // What is wrong, or "".
  [[nodiscard]] std::string check_length(std::string_view text) const;

  std::string name_;  // dotted
  detail::Target target_;
  std::string help_;
  std::string default_text_;  // as TOML; of the field's value when it was bound
  bool required_ = false;
  bool not_empty_ = false;
  std::optional<Range<std::int64_t>> int_range_;
  std::optional<Range<double>> double_range_;
  std::optional<Range<std::size_t>> length_;
  std::vector<std::string> one_of_;
  bool (*is_secret_)(std::string_view entry) = nullptr;
  // Set by loading. Where a secret came from: "secret_file" and its path, say; empty when written in the file
  // itself.
  std::string secret_key_;
  std::string secret_source_;
  std::vector<std::shared_ptr<Schema>> elements_;  // of tables, as loaded
};

class Schema {
 public:
  Schema() = default;
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  // Help of a section, printed above it. A key "a.b" needs no section() to exist.
  void section(std::string_view name, std::string_view help);

  template <typename T>
  Key& value(std::string_view name, T& field, std::string_view help) {
    return add(name, detail::Target(&field), help);
  }
  Key& bytes(std::string_view name, std::size_t& field, std::string_view help) {
    return add(name, detail::SizeTarget{&field}, help);
  }
  Key& list(std::string_view name, std::vector<std::string>& field, std::string_view help) {
    return add(name, detail::Target(&field), help);
  }
  Key& list(std::string_view name, std::vector<Endpoint>& field, std::string_view help) {
    return add(name, detail::Target(&field), help);
  }
  Key& secret(std::string_view name, std::string& field, std::string_view help) {
    return add(name, detail::SecretTarget{&field}, help);
  }
  // An array of tables, [[name]]. bind(schema, element) describes one element; its names are relative to the
  // table. It is called often and must capture nothing that dies before the schema.
  template <typename T, typename Bind>
  Key& tables(std::string_view name, std::string_view help, Bind bind, std::vector<T>& items) {
    detail::TablesTarget target;
    target.size = [&items] { return items.size(); };
    target.resize = [&items](std::size_t size) {
      items.clear();
      items.resize(size);
    };
    target.bind = [&items, bind](Schema& schema, std::size_t index) { bind(schema, items[index]); };
    target.bind_example = [bind](Schema& schema) {
      auto example = std::make_shared<T>();
      bind(schema, *example);
      return example;
    };
    return add(name, std::move(target), help);
  }

  // A rule over several keys, looked at once all keys are well: `rule` returns what is wrong, or "". The
  // error points at `name`. Works inside tables too.
  void check(std::string_view name, std::function<std::string()> rule);

  // While `dev` is false, a secret that protects nothing is an error, at any depth: see weakness_of(), and one in a file
  // that everybody may read.
  void refuse_weak_secrets_unless(const bool& dev) { dev_ = &dev; }

  // Fills the bound fields; returns the errors in the order of the file, none when all is well. After errors
  // the fields hold a mixture: do not use them.
  [[nodiscard]] std::vector<std::string> load_file(const std::string& path);
  // source: what errors call the text. folder: what relative paths of secret files start from.
  [[nodiscard]] std::vector<std::string> load_text(std::string_view text, std::string_view source,
                                                   const std::string& folder = ".");

  // Every key with its help, its default and its value now, in the file format itself. Secrets are left out:
  // one read from a file or from the environment is printed as that reference, another as a comment.
  [[nodiscard]] std::string print() const;

 private:
  friend struct detail::Loader;
  friend struct detail::Printer;
  struct Rule {
    std::string name;
    std::function<std::string()> rule;
  };
  struct Section {
    std::string name;
    std::string help;
  };
  Key& add(std::string_view name, detail::Target target, std::string_view help);

  std::deque<Key> keys_;  // a deque: references stay valid
  std::vector<Section> sections_;
  std::vector<Rule> rules_;
  const bool* dev_ = nullptr;
};

// Why a secret protects nothing, or "": it is one of a sample ("change-me", in whatever way that is written), or has so few
// different characters that it was typed by leaning on a key.
[[nodiscard]] std::string_view weakness_of(std::string_view secret);

}  // namespace hongyan::config
