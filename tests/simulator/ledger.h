// What was sent, stored and delivered, and the rules that hold of it at every moment.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "client/cpp/types.h"
#include "tests/simulator/database.h"

namespace hongyan::simulator {

// Told of everything that clients and databases do; says what is broken as soon as it is.
class Ledger : public CommitWatch {
 public:
  explicit Ledger(World& world) : world_(world) {}

  // Clients. A conversation: from whom to whom, or to which group.
  void sending(const std::string& id, const std::string& from, const std::string& to, std::int64_t group_id,
               const std::string& content);
  void acknowledged(const std::string& id, const client::SendReceipt& receipt);
  // definite: the server took nothing.
  void failed(const std::string& id, bool definite);
  void delivered(const std::string& uid, const client::Message& message);
  // A head of the user's inbox, as told; what was known when it was asked for.
  void head_told(const std::string& uid, std::int64_t head, std::int64_t known);
  [[nodiscard]] std::int64_t head_known(const std::string& uid) { return heads_[uid]; }

  // Databases.
  void committed_outbox(const Tables::BoxRow& row) override;
  void committed_inbox(const std::string& uid, const Tables::BoxRow& row) override;
  void committed_group(const logic::GroupRow& row) override;

  // At the end. What is not done yet, or nothing.
  [[nodiscard]] std::string unfinished() const;
  [[nodiscard]] std::size_t acknowledged_count() const noexcept { return acknowledged_count_; }
  [[nodiscard]] std::size_t sent_count() const noexcept { return sends_.size(); }
  // Who is a member of the group when it takes this number.
  void membership(std::int64_t group_id, const std::string& uid, std::int64_t joined, std::int64_t left);

 private:
  enum class Fate { kUnderWay, kAcknowledged, kRefused, kUnknown };
  struct Send {
    std::string from;
    std::string to;
    std::int64_t group_id = 0;
    std::string content;
    std::uint64_t number = 0;  // in its conversation
    Fate fate = Fate::kUnderWay;
    MsgId msg_id = 0;      // once it is stored
    std::int64_t seq = 0;  // in the outbox
    std::int64_t group_seq = 0;
  };
  struct Box {
    std::vector<MsgId> rows;
    std::set<MsgId> ids;
    std::size_t delivered = 0;
  };
  using Conversation = std::pair<std::string, std::string>;  // from, to

  [[nodiscard]] Send* find(const std::string& from, const std::string& id);

  World& world_;
  std::map<std::string, Send> sends_;  // by client_msg_id, which names its sender
  std::map<Conversation, std::vector<std::string>> conversations_;
  std::map<MsgId, std::string> by_msg_id_;
  std::map<std::string, std::int64_t> outbox_tails_;
  std::map<std::string, Box> inboxes_;
  std::map<std::string, std::map<Conversation, std::set<std::uint64_t>>> arrived_;  // by receiver
  std::map<std::int64_t, std::int64_t> group_tails_;
  std::map<std::int64_t, std::map<Conversation, std::set<std::uint64_t>>> placed_;  // by group
  std::map<std::string, std::int64_t> heads_;
  std::map<std::int64_t, std::map<std::pair<std::string, std::int64_t>, std::int64_t>> members_;
  std::size_t acknowledged_count_ = 0;
};

}  // namespace hongyan::simulator
