#include "gate/session/outbox.h"

namespace hongyan::gate {

OutputQueue& Outbox::queued() {
  if (!queued_) queued_ = context_.pool.take();
  return *queued_;
}

bool Outbox::overflows() const noexcept {
  const std::size_t waiting = (queued_ ? queued_->bytes() : 0) + (writing_ ? writing_->bytes() : 0);
  return waiting > context_.max_bytes;
}

void Outbox::drop_queued() {
  if (queued_) queued_->clear();
}

bool Outbox::wants_flush() noexcept {
  if (flush_due_ || writing_) return false;
  flush_due_ = true;
  return true;
}

Outbox::Flushed Outbox::flush() {
  flush_due_ = false;
  if (writing_) return Flushed::kBusy;
  if (!queued_) return Flushed::kAll;
  auto& gather = context_.gather;
  gather.clear();
  queued_->gather(gather);
  const std::size_t written = transport_.write_now(gather);
  context_.bytes_out.add(written);
  queued_->consume(written);
  if (!queued_->empty()) {
    writing_ = std::move(queued_);
    return Flushed::kRest;
  }
  context_.pool.give_back(std::move(queued_));
  return Flushed::kAll;
}

net::Awaitable<Status> Outbox::write_rest(Outbox& self) {
  for (;;) {
    std::vector<net::asio::const_buffer> buffers;
    self.writing_->gather(buffers);
    const Status written = co_await self.transport_.write(std::move(buffers));
    const std::size_t bytes = self.writing_->bytes();
    self.context_.pool.give_back(std::move(self.writing_));
    if (!written) co_return written;
    self.context_.bytes_out.add(bytes);
    if (!self.queued_) co_return Status{};
    self.writing_ = std::move(self.queued_);
  }
}

void Outbox::close() {
  if (queued_) context_.pool.give_back(std::move(queued_));
}

}  // namespace hongyan::gate
