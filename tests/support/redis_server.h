// A private Redis for tests: own port, nothing on disk, gone when the object is.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace hongyan::testing {

// One thread. start() returns once it answers; it may be stopped and started again, always empty.
class RedisServer {
 public:
  RedisServer();
  ~RedisServer() { stop(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  void start(const std::vector<std::string>& more_options = {});
  void stop();  // kill -9
  // The answer's text; errors begin with the code. Throws when there is no server.
  std::string command(const std::vector<std::string>& words);
  void lose_folder();  // where it would save
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  const TempFolder folder_;
  const std::uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace hongyan::testing
