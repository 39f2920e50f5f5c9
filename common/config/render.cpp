#include "common/config/render.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hongyan::config::detail {

namespace {

template <typename... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string render(const Target& target) {
  return std::visit(Overload{
                        [](const bool* value) { return std::string(*value ? "true" : "false"); },
                        [](const std::integral auto* value) { return fmt::format("{}", *value); },
                        // A TOML float needs a point; fmt's shortest form has one only when it must.
                        [](const double* value) { return fmt::format("{:#}", *value); },
                        [](const std::string* value) { return quote(*value); },
                        [](const Milliseconds* value) { return quote(format_duration(*value)); },
                        [](const Endpoint* value) { return quote(format_endpoint(*value)); },
                        [](const std::vector<std::string>* values) {
                          std::vector<std::string> parts;
                          for (const auto& value : *values) parts.push_back(quote(value));
                          return fmt::format("[{}]", fmt::join(parts, ", "));
                        },
                        [](const std::vector<Endpoint>* values) {
                          std::vector<std::string> parts;
                          for (const auto& value : *values) parts.push_back(quote(format_endpoint(value)));
                          return fmt::format("[{}]", fmt::join(parts, ", "));
                        },
                        [](const SizeTarget& size) { return quote(format_size(*size.value)); },
                        [](const SecretTarget&) { return std::string(); },
                        [](const TablesTarget&) { return std::string(); },
                    },
                    target);
}

std::string_view type_name(const Target& target) {
  return std::visit(Overload{
                        [](const bool*) { return "true or false"; },
                        [](const std::integral auto*) { return "a whole number"; },
                        [](const double*) { return "a number"; },
                        [](const std::string*) { return "a text"; },
                        [](const Milliseconds*) { return R"(a duration like "30s")"; },
                        [](const Endpoint*) { return R"(an endpoint like "host:port")"; },
                        [](const std::vector<std::string>*) { return "a list of texts"; },
                        [](const std::vector<Endpoint>*) { return "a list of endpoints"; },
                        [](const SizeTarget&) { return R"(a size like "64KiB")"; },
                        [](const SecretTarget&) { return "a text"; },
                        [](const TablesTarget&) { return "tables, [[...]]"; },
                    },
                    target);
}

}  // namespace hongyan::config::detail
