#include "tools/bench/actors/puller.h"

#include <algorithm>

#include "proto/parse.h"
#include "tools/bench/actors/client_id.h"

namespace hongyan::bench {

namespace {
constexpr std::uint32_t kPullSeq = 3;
}  // namespace

Puller::Puller(Options options, const Content& content, Shared& shared,
               std::shared_ptr<Connection> connection)
    : options_(std::move(options)), shared_(shared), connection_(std::move(connection)) {
  for (const Sent& sender : options_.senders) {
    Check& check = checks_.emplace_back(content, /*delivery=*/true);
    for (std::uint32_t number = 0; number < sender.messages; ++number) {
      check.sent();
      (void)check.acknowledged(number);
    }
  }
}

void Puller::start() {
  connection_->run(
      {.on_packet = [this](const net::Packet& packet) { on_packet(packet); },
       .on_lost =
           [this](const std::string& why) { shared_.give_up("a device's connection was lost: " + why); }});
  ask();
}

void Puller::ask() {
  client::PullReq request;
  request.set_uid(options_.uid);
  request.set_offset(held_);
  request.set_limit(options_.page);
  request.set_outbox_offset(-1);
  asked_at_ = SteadyClock::now();
  connection_->queue(client::COMMAND_PULL, kPullSeq, request);
}

void Puller::on_packet(const net::Packet& packet) {
  if (packet.header.cmd_id == client::COMMAND_KICKOUT) return shared_.give_up("a device was kicked out");
  if (packet.header.cmd_id != client::COMMAND_PULL || done()) return;
  if (!parse(response_, packet.body)) {
    return shared_.give_up("a pull response does not parse");
  }
  if (response_.error().code() != client::ERROR_CODE_OK) {
    return shared_.give_up("a pull was refused: " + response_.error().message());
  }
  page_times_.record_since(asked_at_, connection_->read_at());
  for (const auto& row : response_.msg()) on_row(row);
  shared_.finished.fetch_add(static_cast<std::uint64_t>(response_.msg_size()), std::memory_order_relaxed);
  if (response_.msg().empty() || held_ >= options_.head) {
    done_.store(true, std::memory_order_release);
  } else {
    ask();
  }
}

void Puller::on_row(const client::PullMsg& row) {
  if (row.seq() <= held_) {
    ++faults_.duplicates;
    return;
  }
  faults_.holes += static_cast<std::uint64_t>(row.seq() - held_ - 1);
  held_ = row.seq();
  content_bytes_ += row.content().size();
  for (std::size_t i = 0; i < options_.senders.size(); ++i) {
    const auto number = number_of_client_id(row.client_msg_id(), options_.senders[i].id);
    if (!number) continue;
    (void)checks_[i].delivered(*number, row.content());
    return;
  }
  ++faults_.changed;
}

Faults Puller::faults() const noexcept {
  Faults faults = faults_;
  for (const Check& check : checks_) faults += check.faults();
  return faults;
}

}  // namespace hongyan::bench
