#include "client/cpp/client.h"

#include <future>

#include "client/cpp/driver.h"

namespace hongyan::client {

namespace {

// Awaits start(callback); resumes on the awaiting coroutine's own loop.
template <typename T, typename Start>
net::Awaitable<T> await_callback(Start start) {
  co_return co_await net::asio::async_initiate<const net::asio::use_awaitable_t<net::Executor>&, void(T)>(
      [](auto handler, Start&& begin) {
        auto executor = net::asio::get_associated_executor(handler);
        begin([handler = std::move(handler), executor](T value) mutable {
          net::asio::post(executor, [handler = std::move(handler), value = std::move(value)]() mutable {
            std::move(handler)(std::move(value));
          });
        });
      },
      net::kUseAwaitable, std::move(start));
}

// Not members: what is awaited may outlive the Client.
void send_on(net::EventLoop& loop, std::shared_ptr<Driver> driver, Outgoing what, SendOptions options,
             SendCallback done) {
  loop.post([driver = std::move(driver), what = std::move(what), options = std::move(options),
             done = std::move(done)]() mutable {
    driver->send(std::move(what), std::move(options), std::move(done));
  });
}

void pull_on(net::EventLoop& loop, std::shared_ptr<Driver> driver, Milliseconds timeout,
             StatusCallback done) {
  loop.post([driver = std::move(driver), timeout, done = std::move(done)]() mutable {
    driver->pull(timeout, std::move(done));
  });
}

}  // namespace

Client::Client(ClientOptions options, Handlers handlers, net::EventLoop& loop)
    : loop_(loop), driver_(std::make_shared<Driver>(std::move(options), std::move(handlers), loop)) {}

Client::Client(ClientOptions options, Handlers handlers)
    : own_loop_(std::make_unique<net::EventLoop>("hongyan-client")),
      loop_(*own_loop_),
      driver_(std::make_shared<Driver>(std::move(options), std::move(handlers), loop_)) {
  own_loop_->start();
}

Client::~Client() {
  if (loop_.in_loop()) {
    driver_->close();
    HONGYAN_ASSERT(!own_loop_);  // a thread cannot end itself
    return;
  }
  std::promise<void> closed;
  loop_.post([driver = std::move(driver_), &closed]() mutable {
    driver->close();
    driver.reset();
    closed.set_value();
  });
  closed.get_future().wait();
}

void Client::start() {
  loop_.post([driver = driver_] { driver->start(); });
}

void Client::hurry() {
  loop_.post([driver = driver_] { driver->hurry(); });
}

std::int64_t Client::acknowledged() const noexcept { return driver_->acknowledged(); }

net::Awaitable<> Client::stop() {
  return [](net::EventLoop* loop, std::shared_ptr<Driver> driver) -> net::Awaitable<> {
    co_await await_callback<Status>([loop, driver](StatusCallback done) mutable {
      loop->post([driver, done = std::move(done)]() mutable {
        driver->stop([done = std::move(done)]() mutable { done(Status{}); });
      });
    });
  }(&loop_, driver_);
}

void Client::send_any(Outgoing what, SendOptions options, SendCallback done) {
  send_on(loop_, driver_, std::move(what), std::move(options), std::move(done));
}

net::Awaitable<Result<SendReceipt>> Client::send_any(Outgoing what, SendOptions options) {
  return await_callback<Result<SendReceipt>>([loop = &loop_, driver = driver_, what = std::move(what),
                                              options = std::move(options)](SendCallback done) mutable {
    send_on(*loop, driver, std::move(what), std::move(options), std::move(done));
  });
}

void Client::pull(Milliseconds timeout, StatusCallback done) {
  pull_on(loop_, driver_, timeout, std::move(done));
}

net::Awaitable<Status> Client::pull(Milliseconds timeout) {
  return await_callback<Status>([loop = &loop_, driver = driver_, timeout](StatusCallback done) mutable {
    pull_on(*loop, driver, timeout, std::move(done));
  });
}

}  // namespace hongyan::client
