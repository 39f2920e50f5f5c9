#include "tools/bench/actors/crowd.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "tools/bench/actors/client_id.h"

namespace hongyan::bench {

Sender& Crowd::add_sender(const std::string& uid, std::shared_ptr<Connection> connection) {
  senders_.push_back(
      std::make_unique<OfSender>(content_, fmt::format("{}{}-", options_.id, senders_.size())));
  OfSender* const of = senders_.back().get();
  of->request.set_from(uid);
  of->request.set_group_id(options_.group_id);
  const auto compose = [this, of](std::uint32_t number) -> const google::protobuf::MessageLite& {
    content_.fill(*of->request.mutable_content(), number);
    set_client_id(*of->request.mutable_client_msg_id(), of->id, number);
    return of->request;
  };
  of->sender =
      std::make_unique<Sender>(Sender::Options{.command = client::COMMAND_C2G_SEND,
                                               .window = {.size = options_.window, .delivery = true}},
                               compose, worker_, shared_, of->check, std::move(connection));
  return *of->sender;
}

std::optional<std::size_t> Crowd::place_of(std::string_view client_msg_id, std::string_view content) {
  if (!client_msg_id.starts_with(options_.id)) return std::nullopt;
  const std::string_view rest = client_msg_id.substr(options_.id.size());
  const auto sender = parse_number<std::size_t>(rest.substr(0, rest.find('-')));
  if (!sender || *sender >= senders_.size()) return std::nullopt;
  OfSender& of = *senders_[*sender];
  const auto number = number_of_client_id(client_msg_id, of.id);
  if (!number || *number >= of.check.next_number() || !content_.same(content, *number)) return std::nullopt;
  if (of.place_of.size() <= *number) of.place_of.resize(of.check.next_number(), 0);
  std::uint32_t& place = of.place_of[*number];
  if (place == 0) {
    (void)of.check.delivered(*number, content);
    order_.push_back({.sender = static_cast<std::uint32_t>(*sender),
                      .number = *number,
                      .missing = static_cast<std::uint32_t>(options_.members),
                      .measured_from = of.sender->measured_from(*number)});
    place = static_cast<std::uint32_t>(order_.size());
  }
  return place - 1;
}

void Crowd::delivered(std::size_t member, std::string_view client_msg_id, std::string_view content,
                      SteadyTime now) {
  const auto place = place_of(client_msg_id, content);
  if (!place) {
    ++faults_.changed;
    return;
  }
  std::size_t& next = places_[member];
  if (*place < next) {
    ++faults_.duplicates;
    return;
  }
  if (*place > next) ++faults_.out_of_order;  // what it skipped stays missing
  next = *place + 1;
  ++deliveries_;
  Placed& placed = order_[*place];
  if (placed.measured_from) delivery_times_.record_since(*placed.measured_from, now);
  if (--placed.missing == 0) senders_[placed.sender]->sender->delivered(placed.number, now);
}

Faults Crowd::faults() const noexcept {
  Faults faults = faults_;
  for (const auto& of : senders_) faults += of->check.faults();
  for (const Placed& placed : order_) faults.lost += placed.missing;
  return faults;
}

}  // namespace hongyan::bench
