// The readers of a shard: threads with a connection each, and one bounded queue of reads, a user's in turn.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "logic/store/mysql/fence/fenced_connection.h"
#include "logic/store/mysql/sql/pages.h"
#include "logic/store/mysql/state/fair_queue.h"
#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Whose turn it is goes by users (of a group's pages, by groups): many reads of one delay each of another's by
// one. Slots that read their messages again are askers of their own.
//
// Any thread: read. start() once, then stop() once, by the shard; stop() answers what is queued with
// kUnavailable and joins. `done` runs on a reader thread, or on the caller's when the queue is full or
// stopped; it must not block. A lost connection is made again once for each read; while that fails, reads are
// refused at once for a moment.
class ShardReader {
 public:
  struct AcceptedRequest {
    Slot slot = 0;
    std::vector<MsgId> ids;
  };

  struct PlacedRequest {
    Slot slot = 0;
    std::vector<MsgId> ids;
  };
  struct CountsRequest {
    UserKey asker;
    std::vector<UserKey> users;
  };
  struct UserJob {
    UserRequest request;
    TenurePtr tenure;
    Shard::UserDone done = {};
  };

  ShardReader(const ShardConfig& config, std::uint32_t node, ShardState& state, WriteHooks hooks)
      : config_(config), node_(node), state_(state), hooks_(std::move(hooks)) {}
  ~ShardReader() { stop(); }
  ShardReader(const ShardReader&) = delete;
  ShardReader& operator=(const ShardReader&) = delete;

  void start();
  void stop();

  void read(PageRequest request, Shard::ReadDone done);
  void read(GroupPageRequest request, Shard::ReadDone done);
  void read(AcceptedRequest request, Shard::RedoDone done);
  void read(PlacedRequest request, Shard::PlacedDone done);
  void read(CountsRequest request, Shard::CountsDone done);
  // A change of unknown outcome is not tried again.
  void run(UserJob job, Shard::UserDone done);

 private:
  template <typename Request, typename Done>
  struct JobOf {
    Request request;
    Done done;
  };
  using PageJob = JobOf<PageRequest, Shard::ReadDone>;
  using GroupPageJob = JobOf<GroupPageRequest, Shard::ReadDone>;
  using AcceptedJob = JobOf<AcceptedRequest, Shard::RedoDone>;
  using PlacedJob = JobOf<PlacedRequest, Shard::PlacedDone>;
  using CountsJob = JobOf<CountsRequest, Shard::CountsDone>;
  using Job = std::variant<PageJob, GroupPageJob, AcceptedJob, PlacedJob, CountsJob, UserJob>;
  class Worker;

  static constexpr std::size_t kMostQueued = 4096;
  static constexpr std::size_t kMostOfOne = 256;

  [[nodiscard]] static std::string asker(const PageJob& job);
  [[nodiscard]] static std::string asker(const GroupPageJob& job);
  [[nodiscard]] static std::string asker(const AcceptedJob& job);
  [[nodiscard]] static std::string asker(const PlacedJob& job);
  [[nodiscard]] static std::string asker(const CountsJob& job);
  [[nodiscard]] static std::string asker(const UserJob& job);
  static void refuse(Job& job, const char* why);
  void push(Job job);

  const ShardConfig& config_;
  const std::uint32_t node_;
  ShardState& state_;
  const WriteHooks hooks_;
  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue<Job> queue_{kMostQueued, kMostOfOne};
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hongyan::logic
