#include "gate/transport/ws_transport.h"

namespace hongyan::gate {

using Outcome = net::StreamIo::Outcome;

namespace {
constexpr std::uint8_t kUnheardPings = 2;
constexpr double kControlsPerSecond = 100;
}  // namespace

WsTransport::WsTransport(net::Stream stream, ReadBuffer& buffer, const WsOptions& options)
    : stream_(std::move(stream)), buffer_(buffer), options_(options), decoder_(0) {}

net::Awaitable<Result<std::string_view>> WsTransport::read() {
  bool readable = stream_.buffered();
  for (;;) {
    if (!reported_ && (state_ == State::kRefused || decoder_.ended())) {
      reported_ = true;
      const bool gone = state_ == State::kRefused ? probe_ : decoder_.closed_by_peer();
      if (gone) finish();
      const auto reason = state_ == State::kRefused ? refused_ : decoder_.reason();
      co_return fail(gone ? Code::kUnavailable : Code::kBadRequest, std::string(reason));
    }
    net::error_code ec;
    if (!std::exchange(readable, false)) {
      waiting_ = true;
      co_await stream_.socket().async_wait(stream_.read_wait(), net::await(ec));
      waiting_ = false;
    }
    if (ec) co_return fail(Code::kUnavailable, ec.message());
    unheard_pings_ = 0;
    const auto io = stream_.read_some(buffer_.whole());
    if (io.outcome == Outcome::kBlocked) continue;
    if (io.outcome == Outcome::kClosed) co_return fail(Code::kUnavailable, "closed by peer");
    if (io.outcome == Outcome::kFailed) co_return fail(Code::kUnavailable, stream_.failure());
    const auto packets = take({buffer_.bytes.get(), io.bytes});
    if (!packets.empty()) co_return packets;
    readable = stream_.buffered();
  }
}

std::string_view WsTransport::take(std::span<char> bytes) {
  if (state_ == State::kHandshake) bytes = take_head(bytes);
  if (state_ != State::kOpen || bytes.empty()) return {};
  const auto packets = decoder_.decode(bytes);
  if (const auto controls = decoder_.take_controls(); controls > 0) {
    if (!controls_.take(controls, kControlsPerSecond, SteadyClock::now())) {
      decoder_.refuse("too many pings");
      return packets;
    }
  }
  if (auto ping = decoder_.take_ping()) {
    output_.set_pong(ws_control_frame(WsOpcode::kPong, *ping));
    flush();
  }
  return packets;
}

std::span<char> WsTransport::take_head(std::span<char> bytes) {
  static constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t before = head_.size();
  head_.append(bytes.data(), bytes.size());
  const auto end = head_.find(kEnd, before < kEnd.size() ? 0 : before - kEnd.size());
  const bool whole = end != std::string::npos;
  const std::size_t size = whole ? end + kEnd.size() : head_.size();
  if (size > options_.max_header_bytes) {
    answer(refuse_large_head());
  } else if (whole || !may_be_upgrade(head_)) {
    answer(answer_upgrade(std::string_view(head_).substr(0, size), options_));
  } else {
    return {};
  }
  head_ = std::string();
  return state_ == State::kOpen ? bytes.subspan(size - before) : std::span<char>();
}

void WsTransport::answer(const WsAnswer& answer) {
  state_ = answer.accepted ? State::kOpen : State::kRefused;
  refused_ = answer.reason;
  probe_ = answer.probe;
  // Nothing has been written yet: it fits into the socket's buffer.
  static_cast<void>(
      stream_.write_some(std::array{net::asio::const_buffer(net::asio::buffer(answer.response))}));
}

void WsTransport::flush() {
  if (!writing_) static_cast<void>(output_.write(stream_, {}));
}

std::size_t WsTransport::write_now(std::span<net::asio::const_buffer> buffers) {
  if (state_ != State::kOpen) return 0;
  return output_.write(stream_, buffers).bytes;
}

net::Awaitable<Status> WsTransport::write(std::vector<net::asio::const_buffer> buffers) {
  writing_ = true;
  std::size_t first = 0;
  Status status;
  if (state_ != State::kOpen) status = fail(Code::kUnavailable, "not open");
  while (status && first < buffers.size()) {
    net::error_code ec;
    co_await stream_.socket().async_wait(stream_.write_wait(), net::await(ec));
    const auto left = std::span(buffers).subspan(first);
    const auto written = ec ? WsOutput::Written{.failed = true} : output_.write(stream_, left);
    if (written.failed) status = fail(Code::kUnavailable, "write failed");
    first += consume(left, written.bytes);
  }
  writing_ = false;
  co_return status;
}

std::optional<SteadyTime> WsTransport::keep_alive(SteadyTime now) {
  if (options_.ping_interval.count() == 0) return SteadyTime::max();
  if (now - pinged_at_ < options_.ping_interval) return pinged_at_ + options_.ping_interval;
  pinged_at_ = now;
  if (state_ != State::kOpen) return now + options_.ping_interval;
  if (unheard_pings_ >= kUnheardPings && waiting_) return std::nullopt;
  ++unheard_pings_;
  output_.set_ping(ws_control_frame(WsOpcode::kPing, {}));
  flush();
  return now + options_.ping_interval;
}

void WsTransport::finish() {
  if (state_ == State::kOpen) {
    output_.set_close(ws_close_frame(decoder_.close_code()));
    flush();
  }
  stream_.finish();
}

}  // namespace hongyan::gate
