#include "logic/kafka/producer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/log/log.h"
#include "logic/kafka/handle.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kOverhead = 512;  // what a record costs beside its bytes, roughly
constexpr Milliseconds kLongestWait{100};
constexpr Milliseconds kBetweenReports{5000};
constexpr Milliseconds kBetweenTries{1000};
constexpr Milliseconds kSameReason{60'000};
constexpr Milliseconds kFatalRemembered{10'000};

}  // namespace

std::size_t KafkaProducer::cost(const KafkaRecord& record) noexcept {
  return kOverhead + record.key.size() + record.value.size();
}

KafkaProducer::KafkaProducer(Options options, Finished finished)
    : options_(std::move(options)),
      finished_(std::move(finished)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  HONGYAN_ASSERT(wake_fd_ >= 0);
}

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::create(Options options, Finished finished) {
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer(std::move(options), std::move(finished)));
  auto handle = KafkaHandle::create(producer->options_, producer->wake_fd_);
  if (!handle) return std::unexpected(handle.error());
  producer->handle_ = std::move(*handle);
  producer->thread_ = std::thread([p = producer.get()] { p->run(); });
  return producer;
}

KafkaProducer::~KafkaProducer() {
  if (thread_.joinable()) stop(Milliseconds(0));
  handle_.reset();
  close(wake_fd_);
}

Status KafkaProducer::produce(KafkaRecordPtr& record) {
  const std::size_t size = cost(*record);
  const auto refuse = [this](std::string why) {
    ++refused_;
    return fail(Code::kUnavailable, std::move(why), kRetryLaterMs);
  };
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return refuse("the server stops");
    if (records_ >= options_.max_records || bytes_ + size > options_.max_bytes) {
      return refuse("too much waits for Kafka");
    }
    bytes_ += size;
    ++records_;
    was_empty = queue_.empty();
    queue_.push_back(std::move(record));
  }
  if (was_empty) wake();
  return {};
}

bool KafkaProducer::wait_ready(Milliseconds most) {
  const SteadyTime until = SteadyClock::now() + most;
  while (!ready_) {
    if (SteadyClock::now() >= until) return false;
    std::this_thread::sleep_for(Milliseconds(10));
  }
  return true;
}

void KafkaProducer::stop(Milliseconds most) {
  {
    const std::lock_guard lock(mutex_);
    stop_by_ = SteadyClock::now() + most;
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void KafkaProducer::wake() noexcept {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake.
  static_cast<void>(!write(wake_fd_, &one, sizeof(one)));
}

void KafkaProducer::wait_for_work(Milliseconds most) const {
  pollfd waiting{.fd = wake_fd_, .events = POLLIN, .revents = 0};
  poll(&waiting, 1, static_cast<int>(most.count()));
  std::uint64_t count = 0;
  static_cast<void>(!read(wake_fd_, &count, sizeof(count)));
}

void KafkaProducer::turn() {
  std::vector<KafkaRecordPtr> queue;
  {
    const std::lock_guard lock(mutex_);
    queue.swap(queue_);
  }
  for (auto& record : queue) handle_->submit(std::move(record));
  if (raise_fatal_.exchange(false)) handle_->raise_fatal_error();
  handle_->poll();
  hand_back(handle_->take_finished());
  connected_ = handle_->connected();
  if (handle_->ready()) ready_ = true;
  tell_trouble();
  log_refusals();
}

void KafkaProducer::tell_trouble() {
  std::string trouble = handle_->connected() ? handle_->trouble() : "Kafka is away";
  if (!fatal_reason_.empty() && SteadyClock::now() - renewed_ < kFatalRemembered) trouble = fatal_reason_;
  const std::lock_guard lock(mutex_);
  if (trouble_ != trouble) trouble_ = std::move(trouble);
}

std::string KafkaProducer::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void KafkaProducer::log_refusals() {
  const std::uint64_t refused = refused_;
  const SteadyTime now = SteadyClock::now();
  if (refused == logged_refusals_ || now - refusals_logged_ < kBetweenReports) return;
  log::warn("kafka", "not taken, too much waits producer={} records={}", options_.name,
            refused - logged_refusals_);
  logged_refusals_ = refused;
  refusals_logged_ = now;
}

void KafkaProducer::run() {
  while (!stopping_) {
    wait_for_work(kLongestWait);
    turn();
    if (handle_->fatal()) renew();
  }
  SteadyTime until;
  {
    const std::lock_guard lock(mutex_);
    until = stop_by_;
  }
  drain(until);
}

void KafkaProducer::drain(SteadyTime until) {
  turn();
  while (handle_->in_flight() > 0 && !handle_->fatal() && SteadyClock::now() < until) {
    wait_for_work(Milliseconds(10));
    turn();
  }
  auto lost = handle_->abandon();
  hand_back(handle_->take_finished());
  if (!lost.empty())
    log::warn("kafka", "given up at stop producer={} records={}", options_.name, lost.size());
  hand_back(std::move(lost));
  connected_ = false;
}

void KafkaProducer::renew() {
  fatal_reason_ = handle_->fatal_reason();
  auto lost = handle_->abandon();
  hand_back(handle_->take_finished());
  log::error("kafka", "fatal error, a new producer starts producer={} under_way={} reason={}", options_.name,
             lost.size(), log::quoted(fatal_reason_));
  if (!options_.retry_lost) hand_back(std::exchange(lost, {}));
  connected_ = false;
  // One that fails again and again is not made again at once.
  const SteadyTime last = std::exchange(renewed_, SteadyClock::now());
  if (!stopping_ && renewed_ - last < kFatalRemembered) std::this_thread::sleep_for(kBetweenTries);
  for (;;) {
    // The options served before: only the system can be short of something.
    auto handle = KafkaHandle::create(options_, wake_fd_);
    if (handle) {
      handle_ = std::move(*handle);
      break;
    }
    log::error("kafka", "no new producer producer={} reason={}", options_.name, handle.error().message);
    std::this_thread::sleep_for(kBetweenTries);
  }
  for (auto& record : lost) handle_->submit(std::move(record));
}

void KafkaProducer::hand_back(std::vector<KafkaRecordPtr> records) {
  if (records.empty()) return;
  std::size_t bytes = 0;
  const Error* why = nullptr;
  for (const auto& record : records) {
    bytes += cost(*record);
    if (record->outcome) {
      ++delivered_;
      continue;
    }
    ++failed_;
    ++unreported_failures_;
    why = &record->outcome.error();
  }
  const SteadyTime now = SteadyClock::now();
  const bool same = why != nullptr && why->message == reported_reason_;
  if (why != nullptr && now - failures_reported_ >= (same ? kSameReason : kBetweenReports)) {
    reported_reason_ = why->message;
    log::warn("kafka", "not published producer={} records={} reason={}", options_.name, unreported_failures_,
              log::quoted(why->message));
    unreported_failures_ = 0;
    failures_reported_ = now;
  }
  bytes_ -= bytes;
  records_ -= records.size();
  finished_(std::move(records));
}

}  // namespace hongyan::logic
