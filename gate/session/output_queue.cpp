#include "gate/session/output_queue.h"

#include <array>
#include <utility>

#include "common/base/assert.h"
#include "common/net/packet.h"

namespace hongyan::gate {

void OutputQueue::append_header(std::uint32_t version, std::uint32_t cmd_id, std::uint32_t seq,
                                std::size_t body_size) {
  std::array<char, net::kHeaderSize> header;
  net::write_header({.client_version = version,
                     .cmd_id = cmd_id,
                     .seq = seq,
                     .body_length = static_cast<std::uint32_t>(body_size)},
                    header.data());
  text_.append(header.data(), header.size());
  bytes_ += net::kHeaderSize + body_size;
}

void OutputQueue::append(std::uint32_t version, std::uint32_t cmd_id, std::uint32_t seq,
                         std::string_view body, std::string_view suffix) {
  append_header(version, cmd_id, seq, body.size() + suffix.size());
  text_.append(body).append(suffix);
}

void OutputQueue::append_shared(std::uint32_t version, std::uint32_t cmd_id, std::uint32_t seq,
                                SharedBody body, std::string_view suffix) {
  append_header(version, cmd_id, seq, body->size() + suffix.size());
  shared_.push_back({.at = text_.size(), .body = std::move(body)});
  text_.append(suffix);
}

void OutputQueue::gather(std::vector<net::asio::const_buffer>& out) const {
  std::size_t skip = consumed_;
  const auto add = [&skip, &out](std::string_view piece) {
    if (piece.size() <= skip) {
      skip -= piece.size();
      return;
    }
    out.emplace_back(piece.data() + skip, piece.size() - skip);
    skip = 0;
  };
  const std::string_view text = text_;
  std::size_t at = 0;
  for (const auto& shared : shared_) {
    add(text.substr(at, shared.at - at));
    add(*shared.body);
    at = shared.at;
  }
  add(text.substr(at));
}

void OutputQueue::consume(std::size_t count) {
  HONGYAN_DEBUG_ASSERT(count <= bytes_);
  bytes_ -= count;
  consumed_ += count;
  if (bytes_ == 0) clear();
}

void OutputQueue::clear() {
  text_.clear();
  shared_.clear();
  bytes_ = 0;
  consumed_ = 0;
}

OutputQueuePtr OutputPool::take() {
  if (spare_.empty()) return std::make_unique<OutputQueue>();
  auto queue = std::move(spare_.back());
  spare_.pop_back();
  return queue;
}

void OutputPool::give_back(OutputQueuePtr queue) {
  queue->clear();
  if (spare_.size() < kMost && queue->text_.capacity() <= kMostText) spare_.push_back(std::move(queue));
}

}  // namespace hongyan::gate
