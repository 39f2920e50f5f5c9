#include "logic/nodes/wire.h"

#include <utility>

#include "proto/parse.h"

namespace hongyan::logic {

namespace {

using Outcome = StoreWork::Outcome;

std::uint8_t number_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kStored:
      return 1;
    case Outcome::kExists:
      return 2;
    case Outcome::kParked:
      return 3;
    case Outcome::kRefused:
    case Outcome::kPending:
      break;
  }
  return 0;
}

Outcome outcome_of(char number) {
  switch (number) {
    case 1:
      return Outcome::kStored;
    case 2:
      return Outcome::kExists;
    case 3:
      return Outcome::kParked;
    default:
      return Outcome::kRefused;
  }
}

void write(nodes::Error& out, const Error& error) {
  out.set_code(static_cast<std::uint32_t>(error.code));
  out.set_message(error.message);
  out.set_retry_after_ms(error.retry_after_ms);
}

Error read(const nodes::Error& in) {
  if (in.code() > static_cast<std::uint32_t>(Code::kDeadlineExceeded)) {
    return {Code::kInternal, in.message(), in.retry_after_ms()};  // of a newer version
  }
  return {static_cast<Code>(in.code()), in.message(), in.retry_after_ms()};
}

// Null: there are none, or not that many.
Result<SharedBytes> at(const std::vector<SharedBytes>& contents, std::uint32_t place) {
  if (place == 0) return SharedBytes{};
  if (place > contents.size()) return fail(Code::kBadRequest, "no such content");
  return contents[place - 1];
}

Result<DeliverWorkPtr> read(nodes::Row& row, const std::vector<SharedBytes>& contents, Slot destination) {
  auto content = at(contents, row.content());
  auto mentions = at(contents, row.mentions());
  if (!content || !mentions) return fail(Code::kBadRequest, "no such content");
  auto work = std::make_unique<DeliverWork>();
  work->to_group = row.to_group();
  work->user.app_id = std::move(*row.mutable_app_id());
  Message& message = work->message;
  message.to = std::move(*row.mutable_to());
  message.group_id = row.group_id();
  if (work->to_group) {
    work->slot = slot_of_group(work->user.app_id, message.group_id);
  } else {
    work->user.uid = row.uid().empty() ? message.to : std::move(*row.mutable_uid());
    work->slot = slot_of(work->user.app_id, work->user.uid);
  }
  if (work->slot != destination) return fail(Code::kBadRequest, "a row for another slot");
  message.id = static_cast<MsgId>(row.msg_id());
  message.from = std::move(*row.mutable_from());
  message.client_msg_id = std::move(*row.mutable_client_msg_id());
  message.content = std::move(*content);
  message.mentions = std::move(*mentions);
  message.group_seq = row.group_seq();
  message.sent_ms = row.sent_ms();
  message.command = row.command();
  message.type = row.type();
  work->lookup_first = row.lookup_first();
  work->group_members = row.group_members();
  if (row.has_membership()) {
    const nodes::Membership& stay = row.membership();
    work->membership = Membership{.group_id = stay.group_id(),
                                  .changed_seq = stay.changed_seq(),
                                  .joined_seq = stay.joined_seq(),
                                  .left_seq = stay.left_seq(),
                                  .large_from_seq = stay.large_from_seq()};
  }
  return work;
}

}  // namespace

void FanOutPacket::clear() {
  message_.Clear();
  contents_.clear();
  places_.clear();
  bytes_ = 0;
}

std::uint32_t FanOutPacket::place_of(const SharedBytes& bytes) {
  if (!bytes) return 0;
  const auto [it, is_new] =
      places_.try_emplace(bytes.get(), static_cast<std::uint32_t>(contents_.size() + 1));
  if (is_new) {
    contents_.push_back(bytes);
    message_.add_contents(*bytes);
    bytes_ += bytes->size();
  }
  return it->second;
}

void FanOutPacket::add(nodes::Row& row, const DeliverWork& work) {
  const Message& message = work.message;
  row.set_app_id(work.user.app_id);
  if (!work.to_group && work.user.uid != message.to) row.set_uid(work.user.uid);
  row.set_to(message.to);
  row.set_from(message.from);
  row.set_client_msg_id(message.client_msg_id);
  row.set_content(place_of(message.content));
  row.set_mentions(place_of(message.mentions));
  row.set_msg_id(static_cast<std::uint64_t>(message.id));
  row.set_group_id(message.group_id);
  row.set_group_seq(message.group_seq);
  row.set_sent_ms(message.sent_ms);
  row.set_command(message.command);
  row.set_type(message.type);
  row.set_to_group(work.to_group);
  row.set_lookup_first(work.lookup_first);
  row.set_group_members(work.group_members);
  if (work.membership) {
    nodes::Membership& stay = *row.mutable_membership();
    stay.set_group_id(work.membership->group_id);
    stay.set_changed_seq(work.membership->changed_seq);
    stay.set_joined_seq(work.membership->joined_seq);
    stay.set_left_seq(work.membership->left_seq);
    stay.set_large_from_seq(work.membership->large_from_seq);
  }
  bytes_ += work.bytes() - message.content_bytes();
}

void FanOutPacket::add(const LaneBatch& batch) {
  nodes::Lane& lane = *message_.add_lanes();
  lane.set_source(batch.id.lane.source);
  lane.set_destination(batch.id.lane.destination);
  lane.set_source_epoch(batch.id.source_epoch);
  lane.set_number(batch.id.number);
  lane.mutable_rows()->Reserve(static_cast<int>(batch.works.size()));
  for (const auto& work : batch.works) add(*lane.add_rows(), *work);
}

Result<std::vector<LaneBatch>> read_fan_out(nodes::FanOut& packet) {
  std::vector<SharedBytes> contents;
  contents.reserve(static_cast<std::size_t>(packet.contents_size()));
  for (auto& content : *packet.mutable_contents()) contents.push_back(share(std::move(content)));
  std::vector<LaneBatch> batches;
  batches.reserve(static_cast<std::size_t>(packet.lanes_size()));
  for (auto& lane : *packet.mutable_lanes()) {
    if (lane.source() >= kSlotCount || lane.destination() >= kSlotCount || lane.rows().empty()) {
      return fail(Code::kBadRequest, "no such lane");
    }
    const LaneKey key{.source = static_cast<Slot>(lane.source()),
                      .destination = static_cast<Slot>(lane.destination())};
    LaneBatch& batch = batches.emplace_back(
        LaneBatch{.id = {.lane = key, .source_epoch = lane.source_epoch(), .number = lane.number()},
                  .source = {},
                  .works = {}});
    for (auto& row : *lane.mutable_rows()) {
      auto work = read(row, contents, key.destination);
      if (!work) return std::unexpected(work.error());
      (*work)->lane_index = batch.works.size();
      batch.works.push_back(std::move(*work));
    }
  }
  return batches;
}

void write_result(nodes::FanOutResult& packet, const LaneResult& result) {
  nodes::LaneResult& lane = *packet.add_lanes();
  lane.set_source(result.id.lane.source);
  lane.set_destination(result.id.lane.destination);
  lane.set_source_epoch(result.id.source_epoch);
  lane.set_number(result.id.number);
  if (result.fate != BatchFate::kTried) return lane.set_refused(true);
  std::string& outcomes = *lane.mutable_outcomes();
  outcomes.resize(result.works.size());
  for (const auto& work : result.works) {
    outcomes[work->lane_index] = static_cast<char>(number_of(work->outcome));
  }
}

BatchId id_of(const nodes::LaneResult& result) {
  return {.lane = {.source = static_cast<Slot>(result.source()),
                   .destination = static_cast<Slot>(result.destination())},
          .source_epoch = result.source_epoch(),
          .number = result.number()};
}

bool read_outcomes(const nodes::LaneResult& result, std::vector<DeliverWorkPtr>& works) {
  if (result.outcomes().size() != works.size()) return false;
  for (std::size_t i = 0; i < works.size(); ++i) works[i]->outcome = outcome_of(result.outcomes()[i]);
  return true;
}

void write(nodes::Ask& packet, const GroupAsk& ask) {
  packet.set_number(ask.number);
  packet.set_app_id(ask.group.app_id);
  packet.set_group_id(ask.group.group_id);
  packet.set_uid(ask.uid);
  packet.set_with_group(ask.with_group);
  packet.set_with_members(ask.with_members);
  packet.set_offset(ask.offset);
  packet.set_limit(ask.limit);
  packet.set_follow(ask.follow);
}

GroupAsk read(nodes::Ask& packet) {
  return {.asker = {},
          .number = packet.number(),
          .group = {.app_id = std::move(*packet.mutable_app_id()), .group_id = packet.group_id()},
          .uid = std::move(*packet.mutable_uid()),
          .with_group = packet.with_group(),
          .with_members = packet.with_members(),
          .offset = packet.offset(),
          .limit = packet.limit(),
          .follow = packet.follow()};
}

void write(nodes::Reply& packet, const GroupReply& reply) {
  packet.set_number(reply.number);
  packet.set_not_owner(reply.not_owner);
  write(*packet.mutable_error(), reply.error);
  packet.set_head(reply.head);
  packet.set_members(reply.members);
  packet.set_large(reply.large);
  packet.set_result(reply.result.SerializeAsString());
}

Result<GroupReply> read(nodes::Reply& packet) {
  GroupReply reply{.number = packet.number(),
                   .error = read(packet.error()),
                   .head = packet.head(),
                   .members = packet.members(),
                   .large = packet.large(),
                   .result = {},
                   .not_owner = packet.not_owner()};
  if (!parse(reply.result, packet.result())) return fail(Code::kBadRequest, "a reply does not parse");
  return reply;
}

void write(nodes::Answer& packet, const CtrlAnswer& answer) {
  packet.set_msg_id(static_cast<std::uint64_t>(answer.msg_id));
  write(*packet.mutable_error(), answer.error);
  packet.set_result(answer.result);
}

CtrlAnswer read(nodes::Answer& packet) {
  return {.msg_id = static_cast<MsgId>(packet.msg_id()),
          .error = read(packet.error()),
          .result = std::move(*packet.mutable_result())};
}

void write(nodes::News& packet, const GroupBroadcast& message) {
  packet.set_app_id(message.group.app_id);
  packet.set_group_id(message.group.group_id);
  packet.set_group_seq(message.group_seq);
  packet.set_msg_id(static_cast<std::uint64_t>(message.msg_id));
  packet.set_cmd_id(message.cmd_id);
  packet.set_body(*message.body);
  packet.set_members(message.members);
  for (const auto& uid : message.joined) packet.add_joined(uid);
  for (const auto& uid : message.left) packet.add_left(uid);
}

GroupBroadcast read(nodes::News& packet) {
  GroupBroadcast message{
      .group = {.app_id = std::move(*packet.mutable_app_id()), .group_id = packet.group_id()},
      .group_seq = packet.group_seq(),
      .msg_id = static_cast<MsgId>(packet.msg_id()),
      .cmd_id = packet.cmd_id(),
      .body = share(std::move(*packet.mutable_body())),
      .audience = nullptr,
      .members = packet.members()};
  for (auto& uid : *packet.mutable_joined()) message.joined.push_back(std::move(uid));
  for (auto& uid : *packet.mutable_left()) message.left.push_back(std::move(uid));
  return message;
}

}  // namespace hongyan::logic
