// The half of Session that writes to the client.
#include "common/log/log.h"
#include "gate/session/session.h"

namespace hongyan::gate {

OutputQueue& Session::output() {
  if (!output_) output_ = context_.outputs.take();
  return *output_;
}

void Session::respond(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body) {
  if (state_ == State::kClosed || finished_) return;
  context_.counters.packet_out(cmd_id);
  output().append(version_, cmd_id, seq, body);
  queued();
}

void Session::respond_error(std::uint32_t cmd_id, std::uint32_t seq, const Error& error) {
  client::ErrorOnly body;
  body.mutable_error()->set_code(static_cast<client::ErrorCode>(error.code));
  body.mutable_error()->set_message(error.message);
  body.mutable_error()->set_retry_after_ms(error.retry_after_ms);
  respond(cmd_id, seq, body.SerializeAsString());
}

void Session::refuse_and_close(const net::PacketHeader& header, Refusal refusal, Code code,
                               std::string_view message) {
  context_.counters.refused(refusal);
  note(to_string(refusal));
  respond_error(header.cmd_id, header.seq, {code, std::string(message)});
  begin_closing();
}

bool Session::takes_pushes() const noexcept {
  return state_ == State::kOpen && (peer_.logged_in || pending_auths_ > 0);
}

void Session::push(std::uint32_t cmd_id, std::string_view body, std::string_view suffix) {
  if (!peer_.logged_in) return;  // its login is not answered yet; what it missed it pulls
  context_.counters.packet_out(cmd_id);
  output().append(version_, cmd_id, 0, body, suffix);
  queued();
}

void Session::push_shared(std::uint32_t cmd_id, SharedBody body, std::string_view suffix) {
  if (!peer_.logged_in) return;
  context_.counters.packet_out(cmd_id);
  output().append_shared(version_, cmd_id, 0, std::move(body), suffix);
  queued();
}

void Session::kick(std::string_view kickout) {
  if (state_ != State::kOpen) return;
  begin_closing();  // first: what is answered to a client that is too slow may be too much itself
  if (!kickout.empty() && state_ == State::kClosing) respond(client::COMMAND_KICKOUT, 0, kickout);
}

void Session::kick(client::KickReason reason, std::string_view message, std::uint32_t reconnect_after_ms) {
  client::Kickout kickout;
  kickout.set_reason(reason);
  kickout.set_message(std::string(message));
  kickout.set_reconnect_after_ms(reconnect_after_ms);
  kick(kickout.SerializeAsString());
}

void Session::queued() {
  const std::size_t waiting = output_->bytes() + (writing_ ? writing_->bytes() : 0);
  if (waiting > context_.options.max_output_bytes && state_ == State::kOpen) {
    context_.counters.refused(Refusal::kSlowConsumer);
    context_.counters.slow_consumers.add();
    note(to_string(Refusal::kSlowConsumer));
    output_->clear();  // whole packets: what is being written is in writing_
    return kick(client::KICK_REASON_SLOW_CONSUMER, "reads too slowly");
  }
  if (flush_due_ || writing_) return;
  flush_due_ = true;
  context_.host.flush_later(shared_from_this());
}

void Session::flush() {
  flush_due_ = false;
  if (state_ == State::kClosed || writing_) return;
  if (output_) {
    auto& gather = context_.gather;
    gather.clear();
    output_->gather(gather);
    const std::size_t written = transport_->write_now(gather);
    context_.counters.bytes_out.add(written);
    output_->consume(written);
    if (!output_->empty()) {
      writing_ = std::move(output_);
      context_.loop.spawn("session write", write_rest(shared_from_this()));
      return;
    }
    context_.outputs.give_back(std::move(output_));
  }
  drained();
}

net::Awaitable<> Session::write_rest(SessionPtr self) {
  while (self->state_ != State::kClosed) {
    std::vector<net::asio::const_buffer> buffers;
    self->writing_->gather(buffers);
    const Status written = co_await self->transport_->write(std::move(buffers));
    const std::size_t bytes = self->writing_->bytes();
    self->context_.outputs.give_back(std::move(self->writing_));
    if (self->state_ == State::kClosed) co_return;
    if (!written) {
      self->end("write failed");
      co_return;
    }
    self->context_.counters.bytes_out.add(bytes);
    if (!self->output_) break;
    self->writing_ = std::move(self->output_);
  }
  self->writing_.reset();
  if (self->state_ != State::kClosed) self->drained();
}

void Session::begin_closing() {
  if (state_ != State::kOpen) return;
  if (peer_.logged_in) {
    context_.host.logged_out(peer_);
    context_.peers.log_out(peer_);
  }
  state_ = State::kClosing;
  start_reading();  // what comes is thrown away, but unread bytes would reset the connection
  context_.host.end_later(shared_from_this());
  context_.host.flush_later(shared_from_this());
}

void Session::drained() {
  // Answers under way may still come, until the linger is over.
  if (state_ != State::kClosing || finished_ || (in_flight_ > 0 && !broken_)) return;
  finished_ = true;
  transport_->finish();
}

}  // namespace hongyan::gate
