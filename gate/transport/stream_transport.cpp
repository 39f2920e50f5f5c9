#include "gate/transport/stream_transport.h"

namespace hongyan::gate {

using Outcome = net::StreamIo::Outcome;

StreamTransport::StreamTransport(net::Stream stream, ReadBuffer& buffer)
    : stream_(std::move(stream)), buffer_(buffer) {}

net::Awaitable<Result<std::string_view>> StreamTransport::read() {
  bool readable = stream_.buffered();
  for (;;) {
    net::error_code ec;
    if (!std::exchange(readable, false)) {
      co_await stream_.socket().async_wait(stream_.read_wait(), net::await(ec));
    }
    if (ec) co_return fail(Code::kUnavailable, ec.message());
    const auto io = stream_.read_some(buffer_.whole());
    if (io.outcome == Outcome::kBlocked) continue;
    if (io.outcome == Outcome::kClosed) co_return fail(Code::kUnavailable, "closed by peer");
    if (io.outcome == Outcome::kFailed) co_return fail(Code::kUnavailable, stream_.failure());
    co_return std::string_view(buffer_.bytes.get(), io.bytes);
  }
}

std::size_t StreamTransport::write_now(std::span<net::asio::const_buffer> buffers) {
  std::size_t total = 0;
  while (!buffers.empty()) {
    const auto io = stream_.write_some(buffers);
    if (io.outcome != Outcome::kDone) break;  // would block, or broken: then write() says so
    total += io.bytes;
    buffers = buffers.subspan(consume(buffers, io.bytes));
  }
  return total;
}

net::Awaitable<Status> StreamTransport::write(std::vector<net::asio::const_buffer> buffers) {
  std::size_t first = 0;
  while (first < buffers.size()) {
    net::error_code ec;
    co_await stream_.socket().async_wait(stream_.write_wait(), net::await(ec));
    if (ec) co_return fail(Code::kUnavailable, ec.message());
    const auto io = stream_.write_some(std::span(buffers).subspan(first));
    if (io.outcome == Outcome::kBlocked) continue;
    if (io.outcome != Outcome::kDone) co_return fail(Code::kUnavailable, "write failed");
    first += consume(std::span(buffers).subspan(first), io.bytes);
  }
  co_return Status{};
}

}  // namespace hongyan::gate
