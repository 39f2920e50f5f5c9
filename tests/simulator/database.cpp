#include "tests/simulator/database.h"

#include <algorithm>

#include "common/base/assert.h"

namespace hongyan::simulator {

using logic::DbError;
using logic::DbFault;
using logic::DbStatus;

namespace {

constexpr Milliseconds kReadTimeout{2000};
constexpr Milliseconds kConnectTimeout{1000};
constexpr Milliseconds kLockWait{1000};
constexpr Milliseconds kIdleTransaction{1000};
constexpr Milliseconds kLatest{12'000};  // how late a statement is read at most

DbError lost(const char* why) { return {.fault = DbFault::kLost, .code = 2013, .message = why}; }

bool conflict(bool exclusive, bool other_exclusive) { return exclusive || other_exclusive; }

// What a fiber waits for.
struct Answer {
  bool done = false;
  DbStatus status;
  Fiber::Waker wake;

  void give(const DbStatus& given) {
    if (std::exchange(done, true)) return;
    status = given;
    wake();
  }
};

}  // namespace

Tables::Lease* Tables::lease(Slot slot) {
  const auto it = std::ranges::lower_bound(leases, slot, {}, &Lease::slot);
  return it == leases.end() || it->slot != slot ? nullptr : &*it;
}

Tables& ServerSession::tables() const noexcept { return database_.tables; }

void ServerSession::take(std::vector<Step> steps, Reply reply) {
  if (ended_) return reply(std::unexpected(lost("the server closed the connection")));
  statements_.push_back({.steps = std::move(steps), .reply = std::move(reply)});
  if (!running_) start_next();
}

void ServerSession::start_next() {
  if (ended_ || statements_.empty()) return;
  running_ = true;
  const std::uint64_t turn = ++turn_;
  database_.world().after(database_.service_time(), [self = shared_from_this(), turn] {
    if (self->turn_ == turn && !self->ended_) self->proceed();
  });
}

void ServerSession::proceed() {
  Statement& statement = statements_.front();
  while (statement.next < statement.steps.size()) {
    const Step& step = statement.steps[statement.next];
    if (step.writes && database_.read_only_) {
      return finish(std::unexpected(
          DbError{.fault = DbFault::kUnable, .code = 1290, .message = "the server is read-only"}));
    }
    if (!database_.grant(*this, step.locks)) {
      if (std::exchange(blocked_, true)) return;
      database_.world().after(kLockWait, [self = shared_from_this(), turn = turn_, next = statement.next] {
        if (!self->blocked_ || self->turn_ != turn || self->statements_.front().next != next) return;
        self->finish(std::unexpected(
            DbError{.fault = DbFault::kConflict, .code = 1205, .message = "lock wait timeout"}));
      });
      return;
    }
    blocked_ = false;
    ++statement.next;
    if (auto error = step.run(*this)) return finish(std::unexpected(std::move(*error)));
  }
  finish({});
}

void ServerSession::finish(const DbStatus& status) {
  blocked_ = false;
  std::erase_if(database_.blocked_, [this](const auto& one) { return one.first == number_; });
  if (!in_transaction_) {
    if (status) {
      commit();
    } else {
      rollback();
    }
  }
  const Reply reply = std::move(statements_.front().reply);
  statements_.pop_front();
  running_ = false;
  const std::uint64_t turn = ++turn_;
  reply(status);
  if (!statements_.empty()) return start_next();
  if (!in_transaction_) return;
  database_.world().after(kIdleTransaction, [self = shared_from_this(), turn] {
    if (self->turn_ == turn && self->in_transaction_) self->end();
  });
}

void ServerSession::commit() {
  in_transaction_ = false;
  for (const auto& write : std::exchange(writes_, {})) write(tables());
  database_.release(*this);
}

void ServerSession::rollback() {
  in_transaction_ = false;
  writes_.clear();
  database_.release(*this);
}

void ServerSession::end() {
  if (std::exchange(ended_, true)) return;
  rollback();
  ++turn_;
  for (const Statement& statement : std::exchange(statements_, {})) {
    statement.reply(std::unexpected(lost("the connection was ended")));
  }
  std::erase_if(database_.blocked_, [this](const auto& one) { return one.first == number_; });
  std::erase_if(database_.names_, [this](const auto& one) { return one.second == number_; });
  database_.sessions_.erase(number_);
}

Database::Database(Network& network, std::size_t index, std::vector<Slot> slots, Mutation mutation,
                   CommitWatch& commit_watch)
    : watch(commit_watch), network_(network), name_(fmt::format("shard {}", index)), mutation_(mutation) {
  for (const Slot slot : slots) tables.leases.push_back({.slot = slot});
}

Database::~Database() { set_up(false); }

void Database::check_owner(logic::NodeNumber node, Slot slot, const char* what) {
  const Tables::Lease* lease = tables.lease(slot);
  HONGYAN_ASSERT(lease != nullptr);
  if (lease->owner == node) return;
  world().broken("two owners: node {} committed {} of slot {}, which node {} owns", node, what, slot,
                 lease->owner);
}

void Database::set_up(bool up) {
  up_ = up;
  if (up) return;
  while (!sessions_.empty()) {
    const auto session = sessions_.begin()->second;
    session->end();
  }
}

bool Database::lock_name(const std::string& name, const ServerSession& session) {
  const auto [it, added] = names_.try_emplace(name, session.number_);
  return added || it->second == session.number_;
}

std::shared_ptr<ServerSession> Database::accept(logic::NodeNumber node) {
  const std::uint64_t number = next_session_++;
  auto session = std::make_shared<ServerSession>(*this, number, node);
  sessions_.emplace(number, session);
  return session;
}

bool Database::grant(ServerSession& session, const std::vector<Lock>& locks) {
  const auto place = std::ranges::find(blocked_, session.number_, [](const auto& one) { return one.first; });
  const auto free = [&](const Lock& lock) {
    const auto holders = held_.find(lock.name);
    bool ours = false;
    if (holders != held_.end()) {
      for (const auto& [holder, exclusive] : holders->second) {
        if (holder == session.number_) {
          ours = exclusive || !lock.exclusive;
        } else if (conflict(lock.exclusive, exclusive)) {
          return false;
        }
      }
    }
    if (ours) return true;
    for (auto before = blocked_.begin(); before != place; ++before) {
      for (const Lock& wanted : before->second) {
        if (wanted.name == lock.name && conflict(wanted.exclusive, lock.exclusive)) return false;
      }
    }
    return true;
  };
  if (!std::ranges::all_of(locks, free)) {
    if (place == blocked_.end()) blocked_.emplace_back(session.number_, locks);
    return false;
  }
  if (place != blocked_.end()) blocked_.erase(place);
  for (const Lock& lock : locks) {
    bool& exclusive = held_[lock.name][session.number_];
    exclusive = exclusive || lock.exclusive;
  }
  return true;
}

void Database::release(const ServerSession& session) {
  bool any = false;
  for (auto it = held_.begin(); it != held_.end();) {
    any = it->second.erase(session.number_) != 0 || any;
    it = it->second.empty() ? held_.erase(it) : std::next(it);
  }
  if (any && !blocked_.empty()) world().after(Micros(1), [this] { wake_blocked(); });
}

void Database::wake_blocked() {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, locks] : blocked_) numbers.push_back(number);
  for (const std::uint64_t number : numbers) {
    const auto found = sessions_.find(number);
    if (found == sessions_.end()) continue;
    const auto session = found->second;
    if (session->blocked_) session->proceed();
  }
}

Micros Database::service_time() { return world().between(Micros(30), Micros(300)) + extra_; }

logic::DbResult<std::unique_ptr<DatabaseClient>> DatabaseClient::open(Database& database,
                                                                      logic::NodeNumber node,
                                                                      const std::string& node_name) {
  Process* process = Process::current();
  Fiber* fiber = Fiber::current();
  HONGYAN_ASSERT(process != nullptr && fiber != nullptr);
  Network& network = database.network();
  auto to_server = Pipe::make(network, node_name, database.name(), nullptr);
  auto to_client = Pipe::make(network, database.name(), node_name, process->shared_from_this());
  const auto answer = std::make_shared<Answer>();
  const auto session = std::make_shared<std::shared_ptr<ServerSession>>();
  answer->wake = fiber->waker();
  to_server->send([&database, node, answer, session, to_client] {
    if (!database.up() || database.full_) {
      to_client->send([answer] { answer->give(std::unexpected(lost("refused"))); });
      return;
    }
    *session = database.accept(node);
    to_client->send([answer] { answer->give({}); });
  });
  const auto fin = [to_server, session] {
    to_server->send([session] {
      if (*session) (*session)->end();
    });
  };
  network.world().after(kConnectTimeout,
                        [answer] { answer->give(std::unexpected(lost("no answer to a connect"))); });
  struct Gone {
    const std::shared_ptr<Answer>& answer;
    const std::function<void()> fin;
    ~Gone() {
      if (!answer->done || !answer->status) fin();
    }
  };
  const Gone gone{.answer = answer, .fin = fin};
  fiber->block();
  if (!answer->status) return std::unexpected(answer->status.error());
  return std::unique_ptr<DatabaseClient>(new DatabaseClient(database, *session, to_server, to_client));
}

DatabaseClient::~DatabaseClient() {
  to_server_->send([session = session_] { session->end(); });
  to_client_->close();
}

DbStatus DatabaseClient::call(Step step) {
  std::vector<Step> steps;
  steps.push_back(std::move(step));
  return call(std::move(steps));
}

DbStatus DatabaseClient::call(std::vector<Step> steps) {
  if (broken_) return std::unexpected(lost("the connection is gone"));
  World& world = database_.world();
  Fiber* fiber = Fiber::current();
  HONGYAN_ASSERT(fiber != nullptr);
  const auto answer = std::make_shared<Answer>();
  answer->wake = fiber->waker();
  const bool fault = database_.losses_ > 0 && world.chance(database_.losses_);
  const std::uint64_t kind = fault ? world.draw(3) : 3;
  if (kind != 0) {
    if (kind == 2) to_server_->hold_until(world.now() + world.between(Micros(0), kLatest));
    to_server_->send(
        [session = session_, steps = std::move(steps), answer, fault, to_client = to_client_]() mutable {
          session->take(std::move(steps), [answer, fault, to_client](const DbStatus& status) {
            if (!fault) to_client->send([answer, status] { answer->give(status); });
          });
        });
  }
  if (fault) {
    world.trace("{}: a statement of node {} is {}", database_.name(), session_->node(),
                kind == 0   ? "lost"
                : kind == 1 ? "executed, its answer lost"
                            : "read late");
    world.after(database_.network().delay() * 2, [answer] { answer->give(std::unexpected(lost("cut"))); });
  }
  world.after(kReadTimeout, [answer] { answer->give(std::unexpected(lost("no answer in time"))); });
  fiber->block();
  if (!answer->status && answer->status.error().fault == DbFault::kLost) broken_ = true;
  return answer->status;
}

}  // namespace hongyan::simulator
