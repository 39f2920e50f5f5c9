#include "logic/store/mysql/threads/shard_reader.h"

#include <fmt/format.h>

#include <utility>

#include "logic/store/mysql/sql/redo.h"
#include "logic/store/mysql/sql/users.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kConnectPause{300};  // after a failed attempt reads are refused for as long
constexpr unsigned kMaxAttempts = 4;        // of a change that meets barriers of others

std::string asker_of(const UserKey& user) { return "user " + user.app_id + '\0' + user.uid; }
std::string asker_of(Slot slot) { return "slot " + std::to_string(slot); }

}  // namespace

// One reader thread and its connection.
class ShardReader::Worker {
 public:
  Worker(FencedConnection::Deps deps, std::size_t index)
      : connection_(std::move(deps), fmt::format("reader {}", index)) {}

  void run(Job& job) {
    std::visit([this](auto& one) { one.done(answer(one)); }, job);
  }

 private:
  DbResult<std::vector<StoredMessage>> read(MysqlConnection& connection, const PageJob& job) {
    return pages_.read(connection, job.request);
  }
  DbResult<std::vector<StoredMessage>> read(MysqlConnection& connection, const GroupPageJob& job) {
    return pages_.read(connection, job.request);
  }
  static DbResult<std::vector<GroupRedoRow>> read(MysqlConnection& connection, const PlacedJob& job) {
    return logic::read_placed(connection, job.request.slot, job.request.ids);
  }
  static DbResult<std::vector<RedoRow>> read(MysqlConnection& connection, const AcceptedJob& job) {
    return read_accepted(connection, job.request.slot, job.request.ids);
  }

  static DbResult<std::vector<std::size_t>> read(MysqlConnection& connection, const CountsJob& job) {
    return count_memberships(connection, job.request.users);
  }

  static DbResult<StoredUser> read(MysqlConnection& connection, const UserJob& job) {
    return read_user(connection, job.request.user);
  }

  Result<StoredUser> answer(UserJob& job) {
    if (job.request.kind == UserRequest::Kind::kRead) return answer<UserJob>(job);
    TenurePtr tenure = job.tenure;
    bool fresh = !connection_.connected();
    for (unsigned attempt = 1;; ++attempt) {
      if (auto connected = connection_.connect(); !connected) return refuse_for(connected.error());
      StoredUser user;
      const Written written = connection_.transact(*tenure, [&](MysqlConnection& connection) -> DbStatus {
        auto changed = change_user(connection, job.request);
        if (!changed) return std::unexpected(changed.error());
        user = std::move(*changed);
        return {};
      });
      switch (written.outcome) {
        case Written::Outcome::kCommitted:
          connection_.trouble().over();
          return user;
        case Written::Outcome::kUnknown:
          return fail(Code::kDeadlineExceeded, "the outcome is unknown");
        case Written::Outcome::kFenced:
          return fail(Code::kUnavailable, kFencedOff, kRetrySoonMs);
        case Written::Outcome::kMoved:
          tenure = written.tenure;
          if (!tenure->still_holds(job.request.slot, *job.tenure))
            return fail(Code::kUnavailable, kNotOurs, kRetrySoonMs);
          break;
        case Written::Outcome::kNotCommitted:
          if (written.error.fault != DbFault::kLost || std::exchange(fresh, true))
            return refuse_for(written.error);
          break;
      }
      if (attempt == kMaxAttempts) return refuse_for(written.error);
    }
  }

  template <typename Job>
  auto answer(Job& job)
      -> Result<typename decltype(read(std::declval<MysqlConnection&>(), job))::value_type> {
    for (bool again = connection_.connected();; again = false) {
      if (auto connected = connection_.connect(); !connected) return refuse_for(connected.error());
      auto rows = connection_.noted(read(*connection_, job));
      if (rows) {
        connection_.trouble().over();
        return std::move(*rows);
      }
      if (!again || rows.error().fault != DbFault::kLost) return refuse_for(rows.error());
    }
  }

  std::unexpected<Error> refuse_for(const DbError& error) {
    connection_.trouble().refused(error);
    return std::unexpected(to_error(error));
  }

  FencedConnection connection_;
  PageReader pages_;
};

void ShardReader::start() {
  for (std::size_t i = 0; i < config_.readers; ++i) {
    threads_.emplace_back([this, i] {
      const MysqlThread mysql_thread;
      Worker worker({.config = config_,
                     .node = node_,
                     .state = state_,
                     .hooks = hooks_,
                     .connect_again = kConnectPause},
                    i);
      std::unique_lock lock(mutex_);
      while (true) {
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        Job job = queue_.pop();
        lock.unlock();
        worker.run(job);
        lock.lock();
      }
    });
  }
}

void ShardReader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  // Nothing is added any more.
  while (!queue_.empty()) {
    Job job = queue_.pop();
    refuse(job, "the node is stopping");
  }
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

void ShardReader::read(CountsRequest request, Shard::CountsDone done) {
  push(CountsJob{std::move(request), std::move(done)});
}

void ShardReader::run(UserJob job, Shard::UserDone done) {
  job.done = std::move(done);
  push(std::move(job));
}

std::string ShardReader::asker(const PageJob& job) { return asker_of(job.request.user); }
std::string ShardReader::asker(const GroupPageJob& job) {
  return "group " + job.request.app_id + '\0' + std::to_string(job.request.group_id);
}
std::string ShardReader::asker(const AcceptedJob& job) { return asker_of(job.request.slot); }
std::string ShardReader::asker(const PlacedJob& job) { return asker_of(job.request.slot); }
std::string ShardReader::asker(const CountsJob& job) { return asker_of(job.request.asker); }
std::string ShardReader::asker(const UserJob& job) { return asker_of(job.request.user); }

void ShardReader::push(Job job) {
  std::string whose = std::visit([](const auto& one) { return asker(one); }, job);
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.push(std::move(whose), job)) {
      wake_.notify_one();
      return;
    }
  }
  refuse(job, "too many reads wait for the shard");
}

void ShardReader::refuse(Job& job, const char* why) {
  std::visit([why](auto& one) { one.done(fail(Code::kUnavailable, why, kRetrySoonMs)); }, job);
}

}  // namespace hongyan::logic
