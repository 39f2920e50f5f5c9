#include "client/cpp/inbox.h"

#include <algorithm>

#include "client/cpp/group.h"
#include "client/cpp/message.h"
#include "common/log/log.h"
#include "proto/parse.h"

namespace hongyan::client {

namespace {

constexpr std::size_t kMaxOwnSent = 4096;
constexpr int kMaxFruitless = 8;
constexpr Milliseconds kPullRetryMin{100};
constexpr Milliseconds kPullRetryMax{5'000};

void keep_newest(std::set<std::int64_t>& numbers, std::int64_t number) {
  numbers.insert(number);
  if (numbers.size() > kMaxOwnSent) numbers.erase(numbers.begin());
}

// Comes to its sender's other devices by the inbox or by the group, with the group's order.
bool goes_to_a_group(Command kind) { return kind == COMMAND_C2G_SEND || kind == COMMAND_CTRL_SEND; }

int rows_of(const PullResp& response) {
  int rows = response.msg_size() + response.sent_size();
  for (const GroupPage& page : response.groups()) rows += page.msg_size();
  return rows;
}

}  // namespace

Inbox::Inbox(const CoreOptions& options, Outputs& outputs, Pace& pace, const SendQueue& sends,
             const Random& random)
    : options_(options),
      outputs_(outputs),
      pace_(pace),
      sends_(sends),
      backoff_(kPullRetryMin, kPullRetryMax, random),
      inbox_(options.held_inbox),
      outbox_(options.held_outbox),
      groups_(options.held_groups),
      reported_(held()),
      page_size_(options.pull_limit, options.request_timeout) {}

void Inbox::on_online(const AuthResp& auth, SteadyTime now) {
  online_ = true;
  head_at_auth_ = auth.inbox_seq();
  outbox_head_at_auth_ = auth.outbox_seq();
  const std::int64_t back = options_.backlog;
  const std::int64_t acked = auth.acked_inbox_seq();
  if (!inbox_) inbox_ = back > 0 ? std::max(std::int64_t{0}, std::min(acked, head_at_auth_ - back)) : acked;
  if (!outbox_) outbox_ = std::max(std::int64_t{0}, outbox_head_at_auth_ - back);
  moved();
  pull(now);
}

void Inbox::on_offline() {
  online_ = false;
  synced_ = false;
  pull_seq_ = 0;
  late_seq_ = 0;
  pull_again_ = false;
  retry_at_.reset();
  backoff_.reset();
  seen_ = 0;
  fruitless_ = 0;
  groups_.forget_holes();
}

void Inbox::pull(SteadyTime now) {
  synced_ = false;
  if (!online_) return;
  if (pull_seq_ != 0) {
    pull_again_ = true;
    return;
  }
  if (retry_at_ && now < *retry_at_) return;
  retry_at_.reset();
  PullReq request;
  request.set_uid(options_.uid);
  request.set_offset(*inbox_);
  request.set_limit(page_size_.limit());
  request.set_outbox_offset(options_.receive_sent ? *outbox_ : -1);
  groups_.list(request);
  pull_again_ = false;
  pulled_from_ = held();
  const std::string body = request.SerializeAsString();
  pull_seq_ = outputs_.write(COMMAND_PULL, body);
  pulled_ = pace_.wrote(pull_seq_, body.size(), now);
}

void Inbox::acknowledge(Command command, const PushAck& ack) {
  outputs_.write(command, ack.SerializeAsString());
}

bool Inbox::on_push(Command command, std::string_view body, SteadyTime now) {
  if (command == COMMAND_SENT_PUSH) {
    PullMsg row;
    if (!parse(row, body)) return false;
    if (options_.receive_sent) take_sent(message_of(row), now);
    return true;
  }
  auto message = parse_push(command, body);
  if (!message) return false;
  if (message->seq > 0) {
    take_stored(std::move(*message), command, now);
  } else if (message->group_seq > 0) {
    take_of_group(std::move(*message), command, now);
  } else {
    PushAck ack;
    ack.set_msg_id(message->msg_id);
    deliver(std::move(*message));
    acknowledge(command, ack);
  }
  return true;
}

void Inbox::take_stored(Message message, Command command, SteadyTime now) {
  seen_ = std::max(seen_, message.seq);
  if (message.seq - 1 > *inbox_) return pull(now);
  PushAck ack;
  ack.set_msg_id(message.msg_id);
  if (message.seq > *inbox_) {
    inbox_ = message.seq;
    deliver(std::move(message));
    moved();
  }
  ack.set_seq(*inbox_);
  acknowledge(command, ack);
}

void Inbox::take_of_group(Message message, Command command, SteadyTime now) {
  const auto verdict = groups_.on_push(message.group_id, message.group_seq);
  if (verdict == LargeGroups::Verdict::kHole) return pull(now);
  PushAck ack;
  ack.set_msg_id(message.msg_id);
  ack.set_group_id(message.group_id);
  ack.set_group_seq(groups_.held(message.group_id));
  if (verdict == LargeGroups::Verdict::kNext) {
    deliver_of_group(std::move(message));
    outputs_.put(output::GroupHeldMoved{ack.group_id(), ack.group_seq()});
  }
  acknowledge(command, ack);
}

void Inbox::take_sent(Message message, SteadyTime now) {
  if (message.seq - 1 > *outbox_) return pull(now);
  PushAck ack;
  ack.set_msg_id(message.msg_id);
  if (message.seq > *outbox_) {
    outbox_ = message.seq;
    deliver_sent(std::move(message));
    skip_own_sent();
    moved();
  }
  ack.set_outbox_seq(*outbox_);
  acknowledge(COMMAND_SENT_PUSH, ack);
}

void Inbox::deliver(Message message) {
  message.own = message.kind == COMMAND_C2G_SEND && message.from == options_.uid &&
                (own_groups_.contains(message.msg_id) || sends_.pending(message.client_msg_id));
  outputs_.put(output::Deliver{std::move(message)});
}

void Inbox::deliver_of_group(Message message) {
  if (concerns_membership_of(message, options_.uid)) return;  // comes by the inbox
  deliver(std::move(message));
}

void Inbox::deliver_sent(Message message) {
  const bool own = own_sent_.erase(message.seq) > 0 || sends_.pending(message.client_msg_id);
  if (own || goes_to_a_group(message.kind)) return;
  message.sent = true;
  outputs_.put(output::Deliver{std::move(message)});
}

void Inbox::on_sent(Command command, const SendReceipt& receipt, SteadyTime now) {
  if (command == COMMAND_C2G_SEND) keep_newest(own_groups_, receipt.msg_id);
  if (!options_.receive_sent || !outbox_ || receipt.outbox_seq <= *outbox_) return;
  keep_newest(own_sent_, receipt.outbox_seq);
  skip_own_sent();
  moved();
  if (!own_sent_.empty()) pull(now);
}

void Inbox::skip_own_sent() {
  while (!own_sent_.empty() && *own_sent_.begin() - 1 <= *outbox_) {
    outbox_ = std::max(*outbox_, *own_sent_.begin());
    own_sent_.erase(own_sent_.begin());
  }
}

void Inbox::on_sync_notify(const SyncNotify& /*notify*/, SteadyTime now) {
  // Even when nothing is missing: the server may lack the acknowledgement, which a pull's offset is.
  pull(now);
}

bool Inbox::on_pull_response(std::uint32_t seq, const PullResp& response, SteadyTime now) {
  const auto code = response.error().code();
  if (late_seq_ != 0 && seq == late_seq_) {
    if (code == ERROR_CODE_OK) take_late_page(response);
    return true;
  }
  if (pull_seq_ == 0 || seq != pull_seq_) return false;
  pull_seq_ = 0;
  if (code == ERROR_CODE_FAILED_PRECONDITION) {
    reset_to_head(response);
    retry_pull(Milliseconds(0), now);
    return true;
  }
  if (code != ERROR_CODE_OK) {
    retry_pull(Milliseconds(response.error().retry_after_ms()), now);
    return true;
  }
  page_size_.came(rows_of(response), std::chrono::duration_cast<Milliseconds>(now - pulled_.at));
  take_page(response);
  moved();
  finish_page(response, now);
  return true;
}

// What it brings is not to come twice; the pull that followed it goes on from there.
void Inbox::take_late_page(const PullResp& response) {
  late_seq_ = 0;
  take_page(response);
  moved();
}

void Inbox::take_page(const PullResp& response) {
  for (const auto& row : response.msg()) {
    if (row.seq() <= *inbox_) continue;
    inbox_ = row.seq();
    deliver(message_of(row));
  }
  if (options_.receive_sent) take_sent_page(response);
  // What came of a group before it was large stands in the inbox, and goes before.
  const bool inbox_to_come = std::max(response.inbox_seq(), seen_) > *inbox_;
  for (const auto& page : response.groups()) {
    const bool begins = !groups_.held().contains(page.group_id());
    if (!begins || !inbox_to_come) take_group_page(page);
  }
}

void Inbox::take_sent_page(const PullResp& response) {
  for (const auto& row : response.sent()) {
    if (row.seq() <= *outbox_) continue;
    outbox_ = row.seq();
    deliver_sent(message_of(row));
  }
  skip_own_sent();
}

void Inbox::take_group_page(const GroupPage& page) {
  bool news = false;
  for (const auto& row : page.msg()) {
    if (!groups_.on_row(page.group_id(), row.seq())) continue;
    news = true;
    Message message = message_of(row);
    message.seq = 0;
    message.group_id = page.group_id();
    message.group_seq = row.seq();
    deliver_of_group(std::move(message));
  }
  const std::int64_t held = groups_.held(page.group_id());
  if (news) {
    outputs_.put(output::GroupHeldMoved{page.group_id(), held});
  } else if (!page.msg().empty() && held > 0) {
    // The server does not know it: the pull did not list the group.
    PushAck ack;
    ack.set_msg_id(page.msg().rbegin()->msg_id());
    ack.set_group_id(page.group_id());
    ack.set_group_seq(held);
    acknowledge(COMMAND_C2G_PUSH, ack);
  }
  take_head(page);
}

void Inbox::finish_page(const PullResp& response, SteadyTime now) {
  const bool empty = rows_of(response) == 0;
  const bool hole = std::max(response.inbox_seq(), seen_) > *inbox_;
  const bool progress = !empty && (held() != pulled_from_ || groups_.moved());
  fruitless_ = groups_.has_hole() && !progress ? fruitless_ + 1 : 0;
  if (fruitless_ > kMaxFruitless) {
    log::warn("client", "what was pushed of a group is not to be pulled");
    groups_.forget_holes();
  }
  if (progress) {
    backoff_.reset();
    pull(now);
  } else if (!empty || hole || groups_.has_hole()) {
    // Asked again, it would say the same: not in a hurry.
    retry_pull(Milliseconds(0), now);
  } else if (pull_again_) {
    pull(now);
  } else {
    backoff_.reset();
    synced_ = true;
    outputs_.put(output::Synced{});
  }
}

void Inbox::reset_to_head(const PullResp& response) {
  const std::int64_t head = std::max(response.inbox_seq(), head_at_auth_);
  const std::int64_t outbox_head = std::max(response.outbox_seq(), outbox_head_at_auth_);
  if (*inbox_ > head || *outbox_ > outbox_head) {
    log::warn("client", "held seqs are beyond the server's inbox={} head={} outbox={} head={}", *inbox_, head,
              *outbox_, outbox_head);
  }
  inbox_ = std::min(*inbox_, head);
  outbox_ = std::min(*outbox_, outbox_head);
  seen_ = 0;
  late_seq_ = 0;
  own_sent_.clear();
  moved();
  for (const auto& page : response.groups()) take_head(page);
}

void Inbox::take_head(const GroupPage& page) {
  if (!groups_.on_head(page.group_id(), page.head_seq())) return;
  outputs_.put(output::GroupHeldMoved{page.group_id(), page.head_seq()});
}

void Inbox::retry_pull(Milliseconds at_least, SteadyTime now) {
  retry_at_ = now + at_least + backoff_.next();
}

void Inbox::moved() {
  if (held() == reported_) return;
  reported_ = held();
  outputs_.put(output::HeldMoved{reported_});
}

void Inbox::page_did_not_come() noexcept {
  if (pull_seq_ != 0) page_size_.did_not_come();
}

SteadyTime Inbox::next_wake() const noexcept {
  if (pull_seq_ != 0) return std::max(pace_.overdue_at(pulled_), pulled_.at + page_size_.patience());
  return retry_at_.value_or(SteadyTime::max());
}

void Inbox::on_time(SteadyTime now) {
  if (next_wake() > now) return;
  if (pull_seq_ != 0) {
    late_seq_ = std::exchange(pull_seq_, 0);
    page_size_.did_not_come();
  }
  retry_at_.reset();
  pull(now);
}

}  // namespace hongyan::client
