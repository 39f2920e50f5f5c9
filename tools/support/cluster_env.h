// The KEY=value file in which a cluster says where it is (deploy/dev-cluster writes it).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace hongyan::tools {

using Settings = std::map<std::string, std::string, std::less<>>;

// Lines KEY=value; empty lines and lines with # are skipped; quotes around a whole value are taken off.
// Errors: kNotFound, kBadRequest with the line.
[[nodiscard]] Result<Settings> read_settings(const std::string& path);
[[nodiscard]] Result<Settings> parse_settings(std::string_view text);

// "" when the key is absent.
[[nodiscard]] std::string setting(const Settings& settings, std::string_view key);

// The key under which the gates of a transport stand: HONGYAN_GATES for "tcp", HONGYAN_GATES_WSS for "wss".
[[nodiscard]] std::string gates_setting(std::string_view transport);

// Words separated by spaces.
[[nodiscard]] std::vector<std::string> words(std::string_view text);

}  // namespace hongyan::tools
