#include "common/net/signals.h"

#include <csignal>

namespace hongyan::net {

StopSignals::StopSignals()
    : work_(context_.get_executor()),
      signals_(context_.get_executor(), SIGTERM, SIGINT),
      reload_signal_(context_.get_executor(), SIGHUP) {
  std::signal(SIGPIPE, SIG_IGN);
  signals_.async_wait([this](error_code ec, int signal) {
    if (!ec) end(0, signal == SIGTERM ? "SIGTERM" : "SIGINT");
  });
  await_reload();
}

void StopSignals::await_reload() {
  reload_signal_.async_wait([this](error_code ec, int) {
    if (ec) return;
    if (reload_) reload_();
    await_reload();
  });
}

int StopSignals::wait() {
  pulse_.set_running(true);
  context_.run();
  pulse_.set_running(false);
  error_code ignored;
  signals_.clear(ignored);
  reload_signal_.cancel(ignored);  // SIGHUP stays ignored while the daemon stops
  return status_;
}

void StopSignals::stop(int status, std::string reason) {
  asio::post(context_,
             [this, status, reason = std::move(reason)]() mutable { end(status, std::move(reason)); });
}

void StopSignals::end(int status, std::string reason) {
  if (ended_) return;
  ended_ = true;
  status_ = status;
  reason_ = std::move(reason);
  context_.stop();
}

}  // namespace hongyan::net
