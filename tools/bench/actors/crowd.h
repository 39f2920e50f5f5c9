// A group and what must be true of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/actors/sender.h"
#include "tools/bench/measure/check.h"
#include "tools/bench/measure/histogram.h"

namespace hongyan::bench {

// Checks that all members of a group get its messages once and in one order: that in which the member who is
// ahead got them. Each sender's messages are checked against what it sent as well. A message is delivered
// when every member has it. Its loop only; must outlive the loop's last turn (Fleet::stop()).
class Crowd {
 public:
  struct Options {
    std::string id;  // begins every client_msg_id, ends in "-"; no other group has it
    std::int64_t group_id = 0;
    std::size_t members = 0;
    std::size_t window = 1;  // of each sender
  };

  // content, worker, shared: outlive the crowd.
  Crowd(Options options, const Content& content, Worker& worker, Shared& shared)
      : options_(std::move(options)),
        content_(content),
        worker_(worker),
        shared_(shared),
        places_(options_.members, 0) {}

  // connection: the sender's, logged in; somebody else reads it. Every sender is a member.
  Sender& add_sender(const std::string& uid, std::shared_ptr<Connection> connection);

  // The member (by its number) got this message next. 0: the first place.
  void delivered(std::size_t member, std::string_view client_msg_id, std::string_view content,
                 SteadyTime now);
  void hole(std::uint64_t seqs) noexcept { faults_.holes += seqs; }

  [[nodiscard]] std::int64_t group_id() const noexcept { return options_.group_id; }
  [[nodiscard]] Shared& shared() noexcept { return shared_; }
  [[nodiscard]] std::uint64_t deliveries() const noexcept { return deliveries_; }
  // One of a message to a member; those under way in the measured time.
  [[nodiscard]] const Histogram& delivery_times() const noexcept { return delivery_times_; }
  // Everything under way counts as lost or unanswered: ask at the end.
  [[nodiscard]] Faults faults() const noexcept;

  struct OfSender {
    OfSender(const Content& content, std::string prefix) : id(std::move(prefix)), check(content, true) {}
    const std::string id;  // begins its client_msg_ids
    client::C2GSendReq request;
    Check check;
    std::unique_ptr<Sender> sender;
    std::vector<std::uint32_t> place_of;  // by number: place in order_, plus 1; 0: nobody has it
  };
  [[nodiscard]] const std::vector<std::unique_ptr<OfSender>>& senders() const noexcept { return senders_; }

 private:
  struct Placed {
    std::uint32_t sender = 0;
    std::uint32_t number = 0;
    std::uint32_t missing = 0;  // members that do not have it yet
    std::optional<SteadyTime> measured_from;
  };

  // The place of a message, found or given. Nothing: nobody sent it so.
  [[nodiscard]] std::optional<std::size_t> place_of(std::string_view client_msg_id, std::string_view content);

  const Options options_;
  const Content& content_;
  Worker& worker_;
  Shared& shared_;
  std::vector<std::unique_ptr<OfSender>> senders_ = {};
  std::vector<Placed> order_ = {};
  std::vector<std::size_t> places_;  // by member: its next place
  std::uint64_t deliveries_ = 0;
  Histogram delivery_times_;
  Faults faults_;
};

}  // namespace hongyan::bench
