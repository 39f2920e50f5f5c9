// Servers of others as processes of a test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace hongyan::testing {

// Starts a process that ends with this one, however that ends; what it prints is appended to `output`.
// program: the file to run where the command's first word is not its name.
[[nodiscard]] pid_t launch(const std::vector<std::string>& command, const std::string& output,
                           const std::string& program = {});

// A port on loopback that nobody had a moment ago.
[[nodiscard]] std::uint16_t free_port();

}  // namespace hongyan::testing
