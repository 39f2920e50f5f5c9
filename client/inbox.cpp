#include "client/inbox.h"

#include <algorithm>

#include "common/log/log.h"

namespace hongyan::client {

namespace {

constexpr std::size_t kMaxOwnSent = 4096;
constexpr Milliseconds kPullRetryMin{100};
constexpr Milliseconds kPullRetryMax{5'000};

Message message_of(const PullMsg& row) {
  return {.kind = static_cast<Command>(row.cmd_id()),
          .from = row.from(),
          .to = row.to(),
          .group_id = row.group_id(),
          .content = row.content(),
          .msg_id = row.msg_id(),
          .time_ms = row.send_time(),
          .seq = row.seq(),
          .group_seq = row.group_seq(),
          .msg_type = row.msg_type(),
          .client_msg_id = row.client_msg_id()};
}

// The fields that C2CPush, C2GPush, S2CPush and CtrlPush share.
template <typename Push>
Message message_of_push(Command kind, const Push& push) {
  return {.kind = kind,
          .from = push.from(),
          .content = push.content(),
          .msg_id = push.msg_id(),
          .time_ms = push.timestamp(),
          .seq = push.seq()};
}

std::optional<Message> parse_push(Command command, std::string_view body) {
  const int size = static_cast<int>(body.size());
  if (command == COMMAND_C2C_PUSH) {
    C2CPush push;
    if (!push.ParseFromArray(body.data(), size)) return std::nullopt;
    Message message = message_of_push(COMMAND_C2C_SEND, push);
    message.msg_type = push.msg_type();
    message.client_msg_id = push.client_msg_id();
    return message;
  }
  if (command == COMMAND_C2G_PUSH) {
    C2GPush push;
    if (!push.ParseFromArray(body.data(), size)) return std::nullopt;
    Message message = message_of_push(COMMAND_C2G_SEND, push);
    message.group_id = push.group_id();
    message.group_seq = push.group_seq();
    message.msg_type = push.msg_type();
    message.client_msg_id = push.client_msg_id();
    return message;
  }
  if (command == COMMAND_S2C) {
    S2CPush push;
    if (!push.ParseFromArray(body.data(), size)) return std::nullopt;
    Message message = message_of_push(COMMAND_S2C, push);
    message.msg_type = push.msg_type();
    return message;
  }
  CtrlPush push;
  if (!push.ParseFromArray(body.data(), size)) return std::nullopt;
  Message message = message_of_push(COMMAND_CTRL_SEND, push);
  message.to = push.to();
  message.msg_type = static_cast<std::int32_t>(push.type());
  return message;
}

}  // namespace

Inbox::Inbox(const CoreOptions& options, Outputs& outputs, const SendQueue& sends, const Random& random)
    : options_(options),
      outputs_(outputs),
      sends_(sends),
      backoff_(kPullRetryMin, kPullRetryMax, random),
      inbox_(options.held_inbox),
      outbox_(options.held_outbox),
      reported_(held()) {}

void Inbox::on_online(const AuthResp& auth, SteadyTime now) {
  online_ = true;
  head_at_auth_ = auth.inbox_seq();
  outbox_head_at_auth_ = auth.outbox_seq();
  if (!inbox_) inbox_ = auth.acked_inbox_seq();
  if (!outbox_) outbox_ = auth.outbox_seq();
  moved();
  pull(now);
}

void Inbox::on_offline() {
  online_ = false;
  synced_ = false;
  pull_seq_ = 0;
  pull_again_ = false;
  retry_at_.reset();
  backoff_.reset();
  seen_ = 0;
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
  request.set_limit(options_.pull_limit);
  request.set_outbox_offset(options_.receive_sent ? *outbox_ : -1);
  for (const auto& [group_id, seq] : groups_) {
    auto* offset = request.add_groups();
    offset->set_group_id(group_id);
    offset->set_offset(seq);
  }
  pull_again_ = false;
  pulled_at_ = now;
  pulled_from_ = held();
  groups_pulled_from_ = groups_;
  pull_seq_ = outputs_.write(COMMAND_PULL, request.SerializeAsString());
}

void Inbox::acknowledge(Command command, const PushAck& ack) {
  outputs_.write(command, ack.SerializeAsString());
}

bool Inbox::on_push(Command command, std::string_view body, SteadyTime now) {
  if (command == COMMAND_SENT_PUSH) {
    PullMsg row;
    if (!row.ParseFromArray(body.data(), static_cast<int>(body.size()))) return false;
    if (options_.receive_sent) take_sent(message_of(row), now);
    return true;
  }
  auto message = parse_push(command, body);
  if (!message) return false;
  if (message->seq > 0) {
    take_stored(std::move(*message), command, now);
  } else if (command == COMMAND_C2G_PUSH) {
    take_large_group(std::move(*message), command, now);
  } else {
    PushAck ack;
    ack.set_msg_id(message->msg_id);
    outputs_.put(output::Deliver{std::move(*message)});
    acknowledge(command, ack);
  }
  return true;
}

void Inbox::take_stored(Message message, Command command, SteadyTime now) {
  seen_ = std::max(seen_, message.seq);
  if (message.seq > *inbox_ + 1) return pull(now);
  PushAck ack;
  ack.set_msg_id(message.msg_id);
  if (message.seq == *inbox_ + 1) {
    inbox_ = message.seq;
    outputs_.put(output::Deliver{std::move(message)});
    moved();
  }
  ack.set_seq(*inbox_);
  acknowledge(command, ack);
}

void Inbox::take_large_group(Message message, Command command, SteadyTime now) {
  const auto group = groups_.find(message.group_id);
  if (group == groups_.end() || message.group_seq > group->second + 1) return pull(now);
  PushAck ack;
  ack.set_msg_id(message.msg_id);
  ack.set_group_id(message.group_id);
  if (message.group_seq == group->second + 1) {
    group->second = message.group_seq;
    outputs_.put(output::Deliver{std::move(message)});
  }
  ack.set_group_seq(group->second);
  acknowledge(command, ack);
}

void Inbox::take_sent(Message message, SteadyTime now) {
  if (message.seq > *outbox_ + 1) return pull(now);
  PushAck ack;
  ack.set_msg_id(message.msg_id);
  if (message.seq == *outbox_ + 1) {
    outbox_ = message.seq;
    message.sent = true;
    if (!sends_.pending(message.client_msg_id)) outputs_.put(output::Deliver{std::move(message)});
    skip_own_sent();
    moved();
  }
  ack.set_outbox_seq(*outbox_);
  acknowledge(COMMAND_SENT_PUSH, ack);
}

void Inbox::on_sent(std::int64_t outbox_seq, SteadyTime now) {
  if (!options_.receive_sent || !outbox_ || outbox_seq <= *outbox_) return;
  own_sent_.insert(outbox_seq);
  if (own_sent_.size() > kMaxOwnSent) own_sent_.erase(own_sent_.begin());
  skip_own_sent();
  moved();
  if (!own_sent_.empty()) pull(now);
}

void Inbox::skip_own_sent() {
  while (!own_sent_.empty() && *own_sent_.begin() <= *outbox_ + 1) {
    outbox_ = std::max(*outbox_, *own_sent_.begin());
    own_sent_.erase(own_sent_.begin());
  }
}

void Inbox::on_sync_notify(const SyncNotify& /*notify*/, SteadyTime now) {
  // Even when nothing is missing: the server may lack the acknowledgement, which a pull's offset is.
  pull(now);
}

bool Inbox::on_pull_response(std::uint32_t seq, const PullResp& response, SteadyTime now) {
  if (pull_seq_ == 0 || seq != pull_seq_) return false;
  pull_seq_ = 0;
  const auto code = response.error().code();
  if (code == ERROR_CODE_FAILED_PRECONDITION) {
    reset_to_head(response);
    retry_pull(Milliseconds(0), now);
    return true;
  }
  if (code != ERROR_CODE_OK) {
    retry_pull(Milliseconds(response.error().retry_after_ms()), now);
    return true;
  }
  take_page(response);
  moved();
  finish_page(response, now);
  return true;
}

void Inbox::take_page(const PullResp& response) {
  for (const auto& row : response.msg()) {
    if (row.seq() <= *inbox_) continue;
    inbox_ = row.seq();
    outputs_.put(output::Deliver{message_of(row)});
  }
  if (options_.receive_sent) {
    for (const auto& row : response.sent()) {
      if (row.seq() <= *outbox_) continue;
      outbox_ = row.seq();
      const bool own = own_sent_.erase(row.seq()) > 0 || sends_.pending(row.client_msg_id());
      if (own) continue;
      Message message = message_of(row);
      message.sent = true;
      outputs_.put(output::Deliver{std::move(message)});
    }
    skip_own_sent();
  }
  for (const auto& page : response.groups()) take_group_page(page);
}

void Inbox::take_group_page(const GroupPage& page) {
  for (const auto& row : page.msg()) {
    auto [held, first] = groups_.try_emplace(page.group_id(), row.seq() - 1);
    if (row.seq() <= held->second) continue;
    held->second = row.seq();
    Message message = message_of(row);
    message.seq = 0;
    message.group_id = page.group_id();
    message.group_seq = row.seq();
    outputs_.put(output::Deliver{std::move(message)});
  }
}

void Inbox::finish_page(const PullResp& response, SteadyTime now) {
  const bool empty =
      response.msg().empty() && response.sent().empty() &&
      std::ranges::all_of(response.groups(), [](const auto& page) { return page.msg().empty(); });
  const bool hole = std::max(response.inbox_seq(), seen_) > *inbox_;
  const bool progress = !empty && (held() != pulled_from_ || groups_ != groups_pulled_from_);
  if (progress) {
    backoff_.reset();
    pull(now);
  } else if (!empty || hole) {
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
  log::warn("client", "held seqs are beyond the server's inbox={} head={} outbox={} head={}", *inbox_, head,
            *outbox_, outbox_head);
  inbox_ = std::min(*inbox_, head);
  outbox_ = std::min(*outbox_, outbox_head);
  seen_ = 0;
  own_sent_.clear();
  moved();
}

void Inbox::retry_pull(Milliseconds at_least, SteadyTime now) {
  retry_at_ = now + at_least + backoff_.next();
}

void Inbox::moved() {
  if (held() == reported_) return;
  reported_ = held();
  outputs_.put(output::HeldMoved{reported_});
}

SteadyTime Inbox::next_wake() const noexcept {
  if (pull_seq_ != 0) return pulled_at_ + options_.request_timeout;
  return retry_at_.value_or(SteadyTime::max());
}

void Inbox::on_time(SteadyTime now) {
  if (next_wake() > now) return;
  pull_seq_ = 0;  // an answer that still comes is not looked at
  retry_at_.reset();
  pull(now);
}

}  // namespace hongyan::client
