// A listener when descriptors run out.
#include "common/net/acceptor.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "common/net/event_loop.h"
#include "common/net/listen.h"
#include "tests/support/raw_client.h"

namespace hongyan::net {
namespace {

// While it lives the process can open no more descriptors than `free`.
class FewDescriptors {
 public:
  explicit FewDescriptors(std::size_t free) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int highest = ::dup(0);
    const rlimit few{.rlim_cur = static_cast<rlim_t>(highest) + 64, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int descriptor = highest; descriptor >= 0; descriptor = ::dup(0)) taken_.push_back(descriptor);
    free_some(free);
  }
  ~FewDescriptors() {
    free_some(taken_.size());
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void free_some(std::size_t count) {
    for (; count > 0 && !taken_.empty(); --count) {
      ::close(taken_.back());
      taken_.pop_back();
    }
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

struct Server {
  EventLoop loop{"acceptor"};
  std::atomic<int> turned_away{0};
  std::atomic<int> accepted{0};
  Acceptor acceptor{loop.executor(), "test", [this] { ++turned_away; }};
  std::vector<TcpSocket> sockets;

  static Awaitable<> serve(Server* self) {
    while (auto socket = co_await Acceptor::accept(self->acceptor, self->loop.executor())) {
      self->sockets.push_back(std::move(*socket));
      ++self->accepted;
    }
  }
  // Waits until so many were.
  [[nodiscard]] bool turns_away(int count) const {
    const auto begin = SteadyClock::now();
    while (turned_away < count && SteadyClock::now() - begin < std::chrono::seconds(10))
      std::this_thread::yield();
    return turned_away == count;
  }
  void close() {
    std::promise<void> closed;
    loop.post([&] {
      acceptor.close();
      sockets.clear();
      closed.set_value();
    });
    closed.get_future().wait();
  }
};

TEST(AcceptorTest, WhoFindsNoDescriptorIsTurnedAwayAtOnce) {
#ifdef __has_feature
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "this sanitizer opens a pipe to look at an object's type";
#endif
#endif
  auto server = std::make_unique<Server>();
  ASSERT_TRUE(listen(server->acceptor.socket(), "127.0.0.1", 0).has_value());
  const auto port = server->acceptor.socket().local_endpoint().port();
  server->loop.spawn("serve", Server::serve(server.get()));
  server->loop.start();
  {
    // A client's own descriptor, then one for the server's side of it.
    FewDescriptors few(1);
    test::RawClient none(port);
    EXPECT_TRUE(none.connected());
    EXPECT_TRUE(none.wait_closed());
    EXPECT_EQ(server->accepted, 0);
    EXPECT_TRUE(server->turns_away(1));  // and has its spare descriptor again
    none.close();
    for (int i = 2; i <= 20; ++i) {
      test::RawClient again(port);
      EXPECT_TRUE(again.wait_closed());
      EXPECT_TRUE(server->turns_away(i));
    }
    few.free_some(1);
    // What else of the process takes a descriptor for a moment may be faster than the first.
    while (server->accepted == 0) {
      test::RawClient one(port);
      while (server->accepted == 0 && !one.wait_closed(Milliseconds(1))) {
      }
    }
    EXPECT_EQ(server->accepted, 1);
    server->close();
  }
  server->loop.stop();
  server->loop.join();
}

TEST(DescriptorsTest, RaisesTheLimitToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{.rlim_cur = 256, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace hongyan::net
