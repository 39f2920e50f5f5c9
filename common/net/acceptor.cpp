#include "common/net/acceptor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "common/log/log.h"
#include "common/net/event_loop.h"

namespace hongyan::net {

namespace {
constexpr double kLinesPerSecond = 0.2;
constexpr std::chrono::milliseconds kPause{100};
}  // namespace

Acceptor::Acceptor(Executor executor, std::string name, std::function<void()> on_turned_away)
    : socket_(executor),
      name_(std::move(name)),
      on_turned_away_(std::move(on_turned_away)),
      lines_(kLinesPerSecond) {}

void Acceptor::close() {
  error_code ignored;
  socket_.close(ignored);
}

Awaitable<std::optional<TcpSocket>> Acceptor::accept(Acceptor& self, Executor executor) {
  while (self.is_open()) {
    TcpSocket accepted(executor);
    error_code ec;
    co_await self.socket_.async_accept(accepted, await(ec));
    if (!self.is_open()) break;
    if (!ec) co_return accepted;
    if (ec == asio::error::connection_aborted) continue;
    self.note(ec);
    const bool no_descriptor = ec == boost::system::errc::too_many_files_open ||
                               ec == boost::system::errc::too_many_files_open_in_system;
    if (no_descriptor && self.spare_.take()) {
      self.turn_away();
    } else {
      co_await sleep_for(kPause);  // out of memory, most likely
    }
  }
  co_return std::nullopt;
}

void Acceptor::turn_away() {
  spare_.give();
  const int connection = ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
  if (connection >= 0) ::close(connection);
  spare_.take();
  if (connection >= 0 && on_turned_away_) on_turned_away_();
}

void Acceptor::note(const error_code& reason) {
  const auto suppressed = lines_.allow(SteadyClock::now());
  if (!suppressed) return;
  log::warn(name_, "accept failed reason={} suppressed={}", reason.message(), *suppressed);
}

}  // namespace hongyan::net
