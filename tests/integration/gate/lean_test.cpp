// What many idle sessions cost.
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "tests/integration/gate/gate_fixture.h"

namespace hongyan::gate {
namespace {

class LeanTest : public GateFixture {
 protected:
  static std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }
  void connect(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto client = std::make_unique<PacketClient>(port());
      ASSERT_TRUE(client->log_in("user-" + std::to_string(clients.size())));
      clients.push_back(std::move(client));
    }
    logic.forget();
  }
  std::vector<std::unique_ptr<PacketClient>> clients;
};

// The goal is 3 KB in a release build; unoptimized coroutine frames are larger.
TEST_F(LeanTest, IdleSessionsTakeLittleMemory) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "sanitizers take memory of their own";
#endif
#endif
#ifdef NDEBUG
  constexpr std::size_t kMost = 3 << 10;
#else
  constexpr std::size_t kMost = 6 << 10;
#endif
  start_serving();
  clients.reserve(2000);
  connect(300);  // pools and buffers reach their size
  const std::size_t before = resident_bytes();
  constexpr std::size_t kSessions = 600;
  connect(kSessions);
  const std::size_t each = (resident_bytes() - before) / kSessions;
  std::printf("%zu bytes a session, the test's own client included\n", each);
  EXPECT_LE(each, kMost);
}

}  // namespace
}  // namespace hongyan::gate
