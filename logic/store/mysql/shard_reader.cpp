#include "logic/store/mysql/shard_reader.h"

#include <fmt/format.h>

#include <utility>

#include "logic/store/mysql/server_trouble.h"
#include "logic/store/mysql/shard_check.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kQueueLimit = 4096;
constexpr Milliseconds kConnectPause{300};  // after a failed attempt reads are refused for as long
constexpr std::uint32_t kRetryAfterMs = 200;

}  // namespace

// One reader thread and its connection.
class ShardReader::Worker {
 public:
  Worker(const ShardConfig& config, ShardState& state, std::size_t index)
      : config_(config), trouble_(config.name, state, fmt::format("reader {}", index)) {}

  void run(Job& job) {
    std::visit([this](auto& one) { one.done(answer(one)); }, job);
  }

 private:
  static DbResult<std::vector<StoredMessage>> read(MysqlConnection& connection, const PageJob& job) {
    return read_page(connection, job.request);
  }
  static DbResult<std::vector<StoredMessage>> read(MysqlConnection& connection, const GroupPageJob& job) {
    return read_group_page(connection, job.request);
  }
  static DbResult<std::vector<GroupRedoRow>> read(MysqlConnection& connection, const PlacedJob& job) {
    return logic::read_placed(connection, job.request.slot, job.request.ids);
  }
  static DbResult<std::vector<RedoRow>> read(MysqlConnection& connection, const AcceptedJob& job) {
    return read_by_ids(connection, job.request.slot, job.request.ids);
  }

  Result<StoredUser> answer(UserJob& job) {
    const bool fresh = connection_ == nullptr;
    bool commit_sent = false;
    for (bool again = !fresh;; again = false) {
      if (auto connected = connect(); !connected) return std::unexpected(connected.error());
      auto user = run_user_request(*connection_, job.fence, job.request, commit_sent);
      if (user) trouble_.over();
      if (user && *user) return std::move(**user);
      if (user) return fail(Code::kUnavailable, "another process owns the slots", kRetryAfterMs);
      connection_.reset();  // and with it the transaction
      const DbError& error = user.error();
      const bool in_doubt = commit_sent && perhaps_stored(error.fault, DbSent::kCommit);
      trouble_.failed(error, in_doubt);
      if (in_doubt) return fail(Code::kDeadlineExceeded, "the outcome is unknown");
      if (!again || error.fault != DbFault::kLost) return refuse_for(error);
    }
  }

  template <typename Job>
  auto answer(Job& job)
      -> Result<typename decltype(read(std::declval<MysqlConnection&>(), job))::value_type> {
    const bool fresh = connection_ == nullptr;
    if (auto connected = connect(); !connected) return std::unexpected(connected.error());
    auto read_rows = read(*connection_, job);
    if (!read_rows && !fresh && read_rows.error().fault == DbFault::kLost) {
      connection_.reset();
      if (auto connected = connect(); !connected) return std::unexpected(connected.error());
      read_rows = read(*connection_, job);
    }
    if (read_rows) {
      trouble_.over();
      return std::move(*read_rows);
    }
    // A statement may have rows left to fetch: begin anew with the next read.
    connection_.reset();
    trouble_.failed(read_rows.error(), false);
    return refuse_for(read_rows.error());
  }

  std::unexpected<Error> refuse_for(const DbError& error) {
    trouble_.refused(error);
    return std::unexpected(to_error(error));
  }

  Status connect() {
    if (connection_) return {};
    const SteadyTime now = SteadyClock::now();
    if (now < refuse_until_) return fail(Code::kUnavailable, "the shard does not answer", kRetryAfterMs);
    auto made = open_checked(config_);
    if (!made) {
      refuse_until_ = SteadyClock::now() + kConnectPause;
      trouble_.failed(made.error(), false);
      return refuse_for(made.error());
    }
    connection_ = std::move(*made);
    return {};
  }

  const ShardConfig& config_;
  std::unique_ptr<MysqlConnection> connection_;
  ServerTrouble trouble_;
  SteadyTime refuse_until_{};
};

void ShardReader::start() {
  for (std::size_t i = 0; i < config_.readers; ++i) {
    threads_.emplace_back([this, i] {
      const MysqlThread mysql_thread;
      Worker worker(config_, state_, i);
      std::unique_lock lock(mutex_);
      while (true) {
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        Job job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        worker.run(job);
        lock.lock();
      }
    });
  }
}

void ShardReader::stop() {
  std::deque<Job> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(queue_);
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (Job& job : left) refuse(job, "the node is stopping");
}

void ShardReader::read(PageRequest request, Shard::ReadDone done) {
  push(PageJob{std::move(request), std::move(done)});
}

void ShardReader::read(AcceptedRequest request, Shard::RedoDone done) {
  push(AcceptedJob{std::move(request), std::move(done)});
}

void ShardReader::read(GroupPageRequest request, Shard::ReadDone done) {
  push(GroupPageJob{std::move(request), std::move(done)});
}

void ShardReader::read(PlacedRequest request, Shard::PlacedDone done) {
  push(PlacedJob{std::move(request), std::move(done)});
}

void ShardReader::run(UserJob job, Shard::UserDone done) {
  job.done = std::move(done);
  push(std::move(job));
}

void ShardReader::push(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < kQueueLimit) {
      queue_.push_back(std::move(job));
      wake_.notify_one();
      return;
    }
  }
  refuse(job, "too many reads wait for the shard");
}

void ShardReader::refuse(Job& job, const char* why) {
  std::visit([why](auto& one) { one.done(fail(Code::kUnavailable, why, kRetryAfterMs)); }, job);
}

}  // namespace hongyan::logic
