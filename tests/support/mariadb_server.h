// A private MariaDB for tests: own data directory, Unix socket and port, gone when the object is.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace hongyan::testing {

// One thread. The server ends with this process, however that ends. User "hongyan", password "test", has all
// rights on databases whose names begin with hongyan_, but not those of an administrator (so read_only binds
// it); root has no password on the socket.
class MariadbServer {
 public:
  explicit MariadbServer(std::vector<std::string> extra_options = {});
  ~MariadbServer();
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;

  // Starts it, or starts it again on the same data; returns once it answers.
  void start();
  void kill_hard();  // kill -9
  void stop();       // SIGTERM
  void freeze();     // SIGSTOP
  void thaw();       // SIGCONT

  [[nodiscard]] std::string socket() const { return folder_.file("s"); }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  // Runs SQL as root, throws on errors; answers the first column of the last row.
  std::string sql(const std::string& text, const std::string& database = {}) const;

 private:
  void reap(int signal);

  const TempFolder folder_;
  std::vector<std::string> options_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace hongyan::testing
