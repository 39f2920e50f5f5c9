#include "tools/bench/pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace hongyan::bench {

namespace {

constexpr std::uint32_t kFirstSendSeq = 16;  // below: AUTH, PULL, acknowledgements
constexpr std::uint32_t kPullSeq = 2;
constexpr std::uint32_t kAckSeq = 3;
constexpr std::uint32_t kMinRetryMs = 50;

template <typename Body>
bool parse(Body& body, const net::Packet& packet) {
  return body.ParseFromArray(packet.body.data(), static_cast<int>(packet.body.size()));
}

// The same bytes for the same number, all values of a byte among them.
void fill(std::string& content, std::size_t size, std::uint32_t number) {
  content.resize(size);
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 + number);
  std::memcpy(content.data(), &number, std::min(size, sizeof(number)));
}

bool same(const std::string& content, std::size_t size, std::uint32_t number) {
  if (content.size() != size) return false;
  for (std::size_t i = sizeof(number); i < size; ++i) {
    if (content[i] != static_cast<char>(i * 31 + number)) return false;
  }
  return std::memcmp(content.data(), &number, std::min(size, sizeof(number))) == 0;
}

std::uint64_t nanoseconds_since(SteadyTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - time).count());
}

}  // namespace

void Shared::give_up(const std::string& reason) {
  if (why_taken.exchange(true)) return;
  why = reason;
  broken.store(true);
}

PairTotals& PairTotals::operator+=(const PairTotals& other) noexcept {
  sent += other.sent;
  acknowledged += other.acknowledged;
  delivered += other.delivered;
  lost += other.lost;
  duplicates += other.duplicates;
  changed += other.changed;
  redelivered += other.redelivered;
  pulls += other.pulls;
  return *this;
}

Pair::Pair(Options options, net::EventLoop& loop, Shared& shared, std::shared_ptr<Connection> sender,
           std::shared_ptr<Connection> receiver)
    : options_(std::move(options)),
      loop_(loop),
      shared_(shared),
      sender_(std::move(sender)),
      receiver_(std::move(receiver)),
      slots_(static_cast<std::size_t>(options_.window)) {
  request_.set_from(options_.sender);
  request_.set_to(options_.receiver);
}

bool Pair::measuring() const noexcept {
  return shared_.phase.load(std::memory_order_relaxed) == Phase::kMeasure;
}

void Pair::start() {
  const auto lost = [this](const std::string& why) {
    shared_.lost_connections.fetch_add(1);
    shared_.give_up("a connection was lost: " + why);
  };
  receiver_->run({.on_packet = [this](const net::Packet& packet) { on_receiver_packet(packet); },
                  .on_batch_end = [this] { end_of_batch(); },
                  .on_lost = lost});
  sender_->run({.on_packet = [this](const net::Packet& packet) { on_sender_packet(packet); },
                .on_batch_end = [this] { end_of_batch(); },
                .on_lost = lost});
  for (Slot& slot : slots_) send_new(slot);
  sender_->flush();
}

void Pair::close() {
  sender_->close();
  receiver_->close();
}

void Pair::send_new(Slot& slot) {
  slot = {.number = next_number_++, .busy = true, .sent_at = SteadyClock::now()};
  ++in_flight_;
  ++totals_.sent;
  acknowledged_.push_back(false);
  delivered_.push_back(false);
  transmit(slot.number);
}

void Pair::transmit(std::uint32_t number) {
  fill(*request_.mutable_content(), options_.size, number);
  auto& id = *request_.mutable_client_msg_id();
  id.clear();
  fmt::format_to(std::back_inserter(id), "{:016x}-{}-{}", options_.run, options_.index, number);
  sender_->queue(client::COMMAND_C2C_SEND, kFirstSendSeq + number, request_);
}

void Pair::end_of_batch() {
  if (ack_owed_ != 0) {
    ack_.set_msg_id(std::exchange(ack_owed_, 0));
    ack_.set_seq(held_);
    receiver_->queue(client::COMMAND_C2C_PUSH, kAckSeq, ack_);
  }
  receiver_->flush();
  sender_->flush();
}

Pair::Slot* Pair::find(std::uint32_t number) noexcept {
  const auto slot = std::ranges::find_if(slots_, [&](const Slot& s) { return s.busy && s.number == number; });
  return slot == slots_.end() ? nullptr : &*slot;
}

void Pair::on_sender_packet(const net::Packet& packet) {
  if (packet.header.cmd_id == client::COMMAND_KICKOUT) return shared_.give_up("a sender was kicked out");
  if (packet.header.cmd_id != client::COMMAND_C2C_SEND || packet.header.seq < kFirstSendSeq) return;
  if (!parse(response_, packet)) return shared_.give_up("a response does not parse");
  const std::uint32_t number = packet.header.seq - kFirstSendSeq;
  switch (response_.error().code()) {
    case client::ERROR_CODE_OK:
      return on_acknowledged(number);
    case client::ERROR_CODE_UNAVAILABLE:
    case client::ERROR_CODE_RATE_LIMITED:
    case client::ERROR_CODE_DEADLINE_EXCEEDED:
    case client::ERROR_CODE_INTERNAL:
      shared_.refused.fetch_add(1, std::memory_order_relaxed);
      return retry_later(number, response_.error().retry_after_ms());
    default:
      return shared_.give_up("a send was refused: " + client::ErrorCode_Name(response_.error().code()) + " " +
                             response_.error().message());
  }
}

void Pair::retry_later(std::uint32_t number, std::uint32_t retry_after_ms) {
  auto timer = std::make_shared<net::Timer>(loop_.executor());
  timer->expires_after(Milliseconds(std::max(kMinRetryMs, retry_after_ms)));
  timer->async_wait([this, timer, number](net::error_code ec) {
    if (ec || find(number) == nullptr) return;
    transmit(number);
    sender_->flush();
  });
}

void Pair::on_acknowledged(std::uint32_t number) {
  if (number >= acknowledged_.size() || acknowledged_[number]) return;
  acknowledged_[number] = true;
  ++totals_.acknowledged;
  Slot* slot = find(number);
  if (slot == nullptr) return;
  slot->acknowledged = true;
  if (measuring()) ack_times_.record(nanoseconds_since(slot->sent_at));
  finish_if_done(*slot);
}

void Pair::on_receiver_packet(const net::Packet& packet) {
  switch (packet.header.cmd_id) {
    case client::COMMAND_C2C_PUSH:
      if (packet.header.seq != 0) return;  // an acknowledgement was refused
      if (!parse(push_, packet)) return shared_.give_up("a push does not parse");
      if (push_.seq() > held_ + 1) return pull();
      ack_owed_ = push_.msg_id();
      return on_delivery(push_.seq(), push_.content(), push_.client_msg_id());
    case client::COMMAND_SYNC_NOTIFY:
      return pull();
    case client::COMMAND_PULL:
      return on_pull_response(packet);
    case client::COMMAND_KICKOUT:
      return shared_.give_up("a receiver was kicked out");
    default:
      return;
  }
}

void Pair::on_delivery(std::int64_t seq, const std::string& content, const std::string& client_msg_id) {
  if (seq <= held_) {
    ++totals_.redelivered;
    return;
  }
  held_ = seq;
  std::uint32_t number = 0;
  const auto dash = client_msg_id.rfind('-');
  const char* const end = client_msg_id.data() + client_msg_id.size();
  if (dash == std::string::npos ||
      std::from_chars(client_msg_id.data() + dash + 1, end, number).ec != std::errc() ||
      number >= delivered_.size() || !same(content, options_.size, number)) {
    ++totals_.changed;
    return;
  }
  if (delivered_[number]) {
    ++totals_.duplicates;
    return;
  }
  delivered_[number] = true;
  ++totals_.delivered;
  Slot* slot = find(number);
  if (slot == nullptr) return;
  slot->delivered = true;
  if (measuring()) delivery_times_.record(nanoseconds_since(slot->sent_at));
  finish_if_done(*slot);
}

void Pair::pull() {
  if (pulling_) return;
  pulling_ = true;
  ++totals_.pulls;
  client::PullReq request;
  request.set_uid(options_.receiver);
  request.set_offset(held_);
  request.set_limit(200);
  request.set_outbox_offset(-1);
  receiver_->queue(client::COMMAND_PULL, kPullSeq, request);
}

void Pair::on_pull_response(const net::Packet& packet) {
  client::PullResp response;
  if (!parse(response, packet)) return shared_.give_up("a pull response does not parse");
  pulling_ = false;
  for (const auto& row : response.msg()) on_delivery(row.seq(), row.content(), row.client_msg_id());
  if (!response.msg().empty()) pull();
}

void Pair::finish_if_done(Slot& slot) {
  if (!slot.acknowledged || !slot.delivered) return;
  slot.busy = false;
  --in_flight_;
  shared_.finished.fetch_add(1, std::memory_order_relaxed);
  if (shared_.phase.load(std::memory_order_relaxed) != Phase::kDrain) send_new(slot);
}

PairTotals Pair::totals() const {
  PairTotals totals = totals_;
  for (std::size_t number = 0; number < acknowledged_.size(); ++number) {
    if (acknowledged_[number] && !delivered_[number]) ++totals.lost;
  }
  return totals;
}

}  // namespace hongyan::bench
