#include "tools/support/cluster_env.h"

#include <fmt/format.h>

#include <cctype>
#include <fstream>
#include <sstream>

namespace hongyan::tools {

Result<Settings> read_settings(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::kNotFound, "cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  auto settings = parse_settings(text.str());
  if (!settings) return fail(settings.error().code, path + settings.error().message);
  return settings;
}

Result<Settings> parse_settings(std::string_view text) {
  Settings settings;
  std::istringstream lines{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::kBadRequest, fmt::format(":{}: not of the form KEY=value", number));
    }
    std::string_view value = std::string_view(line).substr(equals + 1);
    if (value.size() >= 2 && value.front() == value.back() &&
        (value.front() == '"' || value.front() == '\'')) {
      value = value.substr(1, value.size() - 2);
    }
    settings[line.substr(0, equals)] = value;
  }
  return settings;
}

std::string setting(const Settings& settings, std::string_view key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::string() : found->second;
}

std::string gates_setting(std::string_view transport) {
  std::string key = "HONGYAN_GATES";
  if (transport == "tcp") return key;
  key += '_';
  for (const char c : transport) key += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return key;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

}  // namespace hongyan::tools
