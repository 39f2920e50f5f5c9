#include "logic/user/gate_port.h"

#include <mutex>
#include <utility>
#include <vector>

#include "common/protocol/errors.h"

namespace hongyan::logic {

namespace {

// Of the ports that live. What one gives back the next one takes, so that they stay small.
class Numbers {
 public:
  std::uint32_t take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return next_++;
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }
  void give_back(std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    free_.push_back(number);
  }

 private:
  std::mutex mutex_;
  std::vector<std::uint32_t> free_;
  std::uint32_t next_ = 0;
};

Numbers& numbers() {
  static Numbers all;
  return all;
}

}  // namespace

GatePort::GatePort(std::string gate_id, std::uint64_t boot_id)
    : gate_id_(std::move(gate_id)), boot_id_(boot_id), number_(numbers().take()), gives_number_back_(true) {}

GatePort::GatePort(const GatePort* other)
    : gate_id_(other->gate_id_),
      boot_id_(other->boot_id_),
      number_(other->number_),
      gives_number_back_(false) {}

GatePort::~GatePort() {
  if (gives_number_back_) numbers().give_back(number_);
}

void reply(const ReplyTo& to, std::string_view body) {
  if (to.seq != 0) to.gate->respond(to.seq, {.body = body});
}

void reply_error(const ReplyTo& to, const Error& error) {
  if (to.seq == 0) return;
  const std::string body = protocol::error_body(error);
  to.gate->respond(to.seq, {.refused = true, .body = body});
}

}  // namespace hongyan::logic
