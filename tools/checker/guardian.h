// Wakes stopped processes when this program dies, however it dies.
#pragma once

#include <sys/types.h>

namespace hongyan::checker {

// A process of its own that sees, by a pipe, when this one ends, and then sends SIGCONT to what is still
// stopped. Construct it before any thread starts: it forks. One thread at a time calls stop() and wake().
class Guardian {
 public:
  Guardian();
  // Wakes everything.
  ~Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  // SIGSTOP; false: there is no such process, or no guardian to wake it.
  [[nodiscard]] bool stop(pid_t pid) const;
  void wake(pid_t pid) const;

 private:
  int pipe_ = -1;
  pid_t guardian_ = -1;
};

}  // namespace hongyan::checker
