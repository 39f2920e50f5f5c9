#include "tools/checker/guardian.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <set>

namespace hongyan::checker {

namespace {

// Positive: will be stopped; negative: was woken.
[[noreturn]] void watch(int pipe) {
  std::set<pid_t> stopped;
  pid_t word = 0;
  while (::read(pipe, &word, sizeof(word)) == sizeof(word)) {
    if (word > 0) {
      stopped.insert(word);
    } else {
      stopped.erase(-word);
    }
  }
  for (const pid_t pid : stopped) ::kill(pid, SIGCONT);
  ::_exit(0);
}

}  // namespace

Guardian::Guardian() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  guardian_ = ::fork();
  if (guardian_ == 0) {
    ::setsid();  // what is sent to our group must not reach it
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_IGN);
    ::close(ends[1]);
    for (int fd = 0; fd <= 2; ++fd) ::close(fd);  // nobody waits for the end of our output
    watch(ends[0]);
  }
  ::close(ends[0]);
  if (guardian_ > 0) {
    pipe_ = ends[1];
  } else {
    ::close(ends[1]);
  }
}

Guardian::~Guardian() {
  if (pipe_ < 0) return;
  ::close(pipe_);
  ::waitpid(guardian_, nullptr, 0);
}

bool Guardian::stop(pid_t pid) const {
  if (pid <= 0 || ::write(pipe_, &pid, sizeof(pid)) != sizeof(pid)) return false;
  return ::kill(pid, SIGSTOP) == 0;
}

void Guardian::wake(pid_t pid) const {
  ::kill(pid, SIGCONT);
  const pid_t word = -pid;
  [[maybe_unused]] const auto written = ::write(pipe_, &word, sizeof(word));
}

}  // namespace hongyan::checker
