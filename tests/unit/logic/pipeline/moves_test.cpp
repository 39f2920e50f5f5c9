// Slots leave a living node and come back.
#include <random>
#include <set>

#include "moves_harness.h"
#include "proto/internal.pb.h"

namespace hongyan::logic {
namespace {

class MovesTest : public MovesHarness {
 protected:
  using Slots = std::vector<Slot>;
  [[nodiscard]] static Slot slot(std::string_view uid) { return slot_of("demo", uid); }
  std::vector<std::string> inbox_of(std::string_view uid) { return inbox(uid); }
  void internal_request(std::uint32_t seq, std::string_view uid, std::uint32_t command,
                        const google::protobuf::MessageLite& body) {
    request(gate_, seq, uid, command, body.SerializeAsString(), 0, 0);
  }
};

TEST_F(MovesTest, ASlotThatHasLeftIsNotServed) {
  lose({slot("alice")});
  run_all();
  send(1, "alice", "bob", "id-1");
  EXPECT_EQ(gate_->not_owner, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(gate_->last_known_epoch, 1U) << "the last one that it had";
}

TEST_F(MovesTest, ARequestOfAnotherEpochIsRefusedWithThePresentOne) {
  lose({slot("alice")});
  regain({slot("alice")});
  run_all();
  Pipeline& thread = thread_of("alice");
  const auto ask = [&](std::uint32_t seq, std::uint64_t epoch) {
    client::C2CSendReq body;
    body.set_to("bob");
    body.set_client_msg_id("id-" + std::to_string(seq));
    const std::string bytes = body.SerializeAsString();
    thread.request({.reply_to = {.gate = gate_, .seq = seq},
                    .slot = slot("alice"),
                    .slot_epoch = epoch,
                    .cmd_id = client::COMMAND_C2C_SEND,
                    .app_id = "demo",
                    .uid = "alice",
                    .body = bytes});
  };
  ask(1, 1);
  EXPECT_EQ(gate_->not_owner, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(gate_->last_known_epoch, 2U);
  ask(2, 2);
  ask(3, 0);  // of a gate that says nothing of epochs
  run_all();
  EXPECT_NE(gate_->answer(2), nullptr);
  EXPECT_NE(gate_->answer(3), nullptr);
}

TEST_F(MovesTest, WhatTheWritersRefuseBecauseTheSlotLeavesIsNoRefusal) {
  send(1, "alice", "bob", "id-1");
  leases_[slot("alice")] = 0;  // the slot thread has not heard
  run_all();
  EXPECT_EQ(gate_->answer(1), nullptr);
  EXPECT_EQ(gate_->not_owner, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(gate_->last_known_epoch, 1U);
}

TEST_F(MovesTest, WhatWasStoredIsAcknowledgedAndDeliveredByTheNextOwner) {
  send(1, "alice", "bob", "id-1", "hello");
  write(shard_set_.index_of(slot("alice")), 1);
  lose({slot("alice")});
  while (step(slot("alice") % kThreads)) {
  }
  EXPECT_EQ(retired(), 1U);
  run_all();  // only now it hears that it is stored
  ASSERT_NE(gate_->answer(1), nullptr);
  EXPECT_FALSE(gate_->answer(1)->refused);
  rest();
  regain({slot("alice")});
  rest();
  EXPECT_EQ(inbox_of("bob"), (std::vector<std::string>{"hello"}));
  EXPECT_EQ(retired(), 0U);
}

TEST_F(MovesTest, TheLoadOfBeforeFillsNobodyOfLater) {
  const auto& bob = shard_of("bob").inbox[{"demo", "bob"}];
  login(1, "bob", 500);  // its rows are being read
  lose({slot("bob")});
  run_all();
  EXPECT_EQ(gate_->not_owner, (std::vector<std::uint32_t>{1}));
  regain({slot("bob")});
  run_all();
  EXPECT_TRUE(bob.empty());
  EXPECT_EQ(thread_of("bob").context().users.find("demo", "bob"), nullptr);
  EXPECT_EQ(retired(), 1U);
  tick(Milliseconds(100));
  run_all();
  EXPECT_EQ(retired(), 0U);
}

TEST_F(MovesTest, SessionsLeaveSilently) {
  come_online("bob");
  const auto told = session_of("bob", channel_of("bob"), gate_->answer(1000)->login_epoch);
  events_.all.clear();
  lose({slot("bob")});
  run_all();
  rest();
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_TRUE(routes_.removes.empty());
  EXPECT_TRUE(events_.all.empty());
  EXPECT_EQ(counters_[0].sessions.load() + counters_[1].sessions.load(), 0);
  regain({slot("bob")});
  sessions_at_gate_[told.channel()] = told;
  announce_sessions();
  run_all();
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_EQ(counters_[0].sessions.load() + counters_[1].sessions.load(), 1);
  send(2, "alice", "bob", "id-1");
  run_all();
  EXPECT_EQ(pushes_to("bob").back().cmd_id, client::COMMAND_C2C_PUSH);
}

TEST_F(MovesTest, AnUnconfirmedLoginEndsNobodyAfterItHasLeft) {
  come_online("bob");
  login(1, "bob", 900, 1, "another phone");
  run_all();
  ASSERT_TRUE(gate_->answer(1)->confirm);
  lose({slot("bob")});
  rest();
  EXPECT_TRUE(gate_->kicks.empty());
}

TEST_F(MovesTest, ALoginThatWaitsForGatesGoesToTheNextOwner) {
  for (auto& thread : threads_) thread->gate_up(gate_);
  lose({slot("bob")});
  regain({slot("bob")});
  run_all();
  login(1, "bob", 500);
  run_all();
  EXPECT_EQ(gate_->answer(1), nullptr);
  lose({slot("bob")});
  run_all();
  tick(Milliseconds(100));
  run_all();
  EXPECT_EQ(gate_->answer(1), nullptr);
  EXPECT_EQ(gate_->not_owner, (std::vector<std::uint32_t>{1}));
}

TEST_F(MovesTest, APullThatIsUnderWayIsTheNextOwnersToAnswer) {
  send(1, "alice", "bob", "id-1");
  run_all();
  shard_of("bob").hold_reads = true;
  client::PullReq body;
  body.set_outbox_offset(-1);
  request(gate_, 2, "bob", client::COMMAND_PULL, body.SerializeAsString());
  run_all();
  lose({slot("bob")});
  run_all();
  shard_of("bob").let_read();
  run_all();
  EXPECT_EQ(gate_->answer(2), nullptr);
  EXPECT_EQ(gate_->not_owner, (std::vector<std::uint32_t>{2}));
  tick(Milliseconds(100));
  run_all();
  EXPECT_EQ(retired(), 0U);
}

TEST_F(MovesTest, ReadsEndWithTheBeat) {
  come_online("bob");
  shard_of("bob").beats = false;
  login(1, "bob", 600);
  client::PullReq pull;
  request(gate_, 2, "bob", client::COMMAND_PULL, pull.SerializeAsString());
  internal_request(3, "bob", internal::COMMAND_PRESENCE, internal::Kick());
  for (const std::uint32_t seq : {1U, 2U, 3U}) {
    EXPECT_EQ(error_of(seq), client::ERROR_CODE_UNAVAILABLE) << seq;
  }
}

TEST_F(MovesTest, WhoIsOnlineIsNotSaidBeforeGatesHaveTold) {
  come_online("bob");
  for (auto& thread : threads_) thread->gate_up(gate_);
  sessions_at_gate_[channel_of("bob")] =
      session_of("bob", channel_of("bob"), gate_->answer(1000)->login_epoch);
  lose({slot("bob")});
  regain({slot("bob")});
  run_all();
  internal_request(1, "bob", internal::COMMAND_PRESENCE, internal::Kick());
  internal_request(2, "bob", internal::COMMAND_S2C_PUSH, internal::S2cPush());
  internal_request(3, "bob", internal::COMMAND_KICK, internal::Kick());
  run_all();
  for (const std::uint32_t seq : {1U, 2U, 3U}) EXPECT_EQ(gate_->answer(seq), nullptr) << seq;
  announce_sessions();
  run_all();
  EXPECT_TRUE(body_of<client::Presence>(1).online());
  EXPECT_EQ(body_of<internal::S2cPushed>(2).outcome(), internal::S2cPushed::OUTCOME_ONLINE);
  EXPECT_EQ(body_of<internal::Kicked>(3).sessions(), 1);
}

TEST_F(MovesTest, ACallForManyTargetsIsNotEndedByTheOneThatWasStored) {
  internal::S2cStore body;
  body.set_content("news");
  for (const char* id : {"a", "b"}) {
    auto& target = *body.add_targets();
    target.set_uid("bob");
    target.set_client_msg_id(id);
  }
  internal_request(1, "service", internal::COMMAND_S2C_STORE, body);
  const std::size_t shard = shard_set_.index_of(slot("service"));
  write(shard, 1);
  while (return_works(shard)) {
  }
  lose({slot("service")});
  run_all();
  EXPECT_EQ(gate_->answer(1), nullptr) << "the next owner gets the whole of it";
  EXPECT_TRUE(gate_->not_owner.empty()) << "one of them was taken";
  internal_request(2, "service", internal::COMMAND_S2C_STORE, body);
  EXPECT_EQ(gate_->not_owner, (std::vector<std::uint32_t>{2}));
}

TEST_F(MovesTest, AGroupsMessageAtTheDatabaseIsDeliveredByTheNextOwner) {
  const auto group = create("alice", {"bob", "carol"});
  const Slot of_group = slot_of_group("demo", group);
  send_to_group(1, "alice", group, "hello");
  // Until it waits for its place.
  MemoryShard& shard = shards_[shard_set_.index_of(of_group)];
  for (int i = 0; shard.group_queue.empty() && i < 100; ++i) {
    for (std::size_t one = 0; one < shards_.size(); ++one) write_boxes(one);
    for (std::uint32_t thread = 0; thread < kThreads; ++thread) step(thread);
  }
  ASSERT_FALSE(shard.group_queue.empty());
  write(shard_set_.index_of(of_group), 100);  // it has its place
  lose({of_group});
  while (step(of_group % kThreads)) {
  }
  rest();
  const auto rows = inbox("bob").size();
  regain({of_group});
  rest();
  EXPECT_EQ(inbox("bob").size(), rows + 1);
  EXPECT_EQ(inbox("carol"), (std::vector<std::string>{"#", "hello"}));
  EXPECT_EQ(stored(group).rows.size(), 2U);
}

TEST_F(MovesTest, ACommandThatWasStoredIsAskedForAtTheNextOwner) {
  const auto group = create("alice", {"bob"});
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"carol"});
  lose({slot("alice")});
  run_all();
  EXPECT_EQ(gate_->answer(1), nullptr);
  regain({slot("alice")});
  run_all();
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"carol"});
  rest();
  EXPECT_FALSE(gate_->answer(1)->refused);
  EXPECT_EQ(inbox("carol"), (std::vector<std::string>{"#"}));
}

// --- anything, in any order ---

constexpr std::size_t kUsers = 8;
#ifdef NDEBUG
constexpr std::uint64_t kSeeds = 150;
#else
constexpr std::uint64_t kSeeds = 20;  // the code is slow
#endif

class AnyMoves : public MovesHarness {
 protected:
  struct Send {
    std::string from;
    std::string to;  // or
    std::int64_t group = 0;
    std::string content;
    std::uint32_t seq = 0;
    bool refused = false;
    bool acknowledged = false;
  };

  void run_seed(std::uint64_t seed) {
    SCOPED_TRACE(seed);
    for (auto& one : counters_) {
      one.sessions.store(0);
      one.unfinished_bytes.store(0);
    }
    random_.seed(seed);
    restart();
    wipe();
    acquire();
    leases_.fill(1);
    epochs_.fill(1);
    for (std::size_t i = 0; i < kUsers; ++i) users_.push_back("u" + std::to_string(i));
    group_ = create("u0", {users_.begin() + 1, users_.end()});
    interesting_ = slots_of(users_);
    interesting_.push_back(slot_of_group("demo", group_));
    std::ranges::sort(interesting_);
    interesting_.erase(std::ranges::unique(interesting_).begin(), interesting_.end());
    for (auto& thread : threads_) thread->gate_up(gate_);
    for (int i = 0; i < 600; ++i) act();
    for (auto& shard : shards_) shard.refuse = false;
    for (const Slot slot : interesting_) {
      if (!owned(slot)) bring_back({slot});
    }
    rest();
    rest();
    check(seed);
  }

  void act() {
    for (auto& shard : shards_) ++shard.clock;
    switch (draw(18)) {
      case 0:
      case 1:
      case 2:
        return send_something();
      case 3:
        return log_in_somebody();
      case 4:
        return ask_something();
      case 5:
        if (draw(3) == 0) lose_some();
        return;
      case 6:
        if (draw(2) == 0) bring_some_back();
        return;
      case 7:
        shards_[draw(2)].refuse = draw(4) == 0;
        return;
      case 8:
        if (draw(4) == 0) tick(Milliseconds(draw(2) == 0 ? 60 : 600));
        return;
      case 9:
        return write_upkeep();
      case 10:
      case 11:
      case 12:
        return write(draw(2), 1 + draw(3));
      case 13:
      case 14:
        static_cast<void>(return_works(draw(2)));
        return;
      default:
        static_cast<void>(step(static_cast<std::uint32_t>(draw(kThreads))));
    }
  }

  void after_step() override { heed_answers(); }
  std::string somebody() { return users_[draw(kUsers)]; }

  void send_something() {
    Send one{
        .from = somebody(), .to = {}, .content = "m" + std::to_string(sends_.size()), .seq = ++next_seq_};
    if (draw(3) == 0) {
      one.group = group_;
    } else {
      one.to = somebody();
    }
    sends_.push_back(one);
    by_seq_[one.seq] = sends_.size() - 1;
    unanswered_[one.seq] = [this, one] {
      if (one.group != 0) {
        send_to_group(one.seq, one.from, one.group, one.content, one.content);
      } else {
        send(one.seq, one.from, one.to, one.content, one.content);
      }
    };
    slot_of_request_[one.seq] = slot_of("demo", one.from);
    forward(one.seq);
  }
  void ask_something() {
    const std::string uid = somebody();
    const std::uint32_t seq = ++next_seq_;
    const std::uint64_t which = draw(4);
    unanswered_[seq] = [this, seq, uid, which] {
      client::PullReq pull;
      pull.set_outbox_offset(-1);
      internal::Ban ban;
      switch (which) {
        case 0:
          return request(gate_, seq, uid, client::COMMAND_PULL, pull.SerializeAsString(), channel_of(uid));
        case 1:
          return request(gate_, seq, uid, internal::COMMAND_PRESENCE, "");
        case 2:
          return request(gate_, seq, uid, internal::COMMAND_BAN, ban.SerializeAsString());
        default:
          return ctrl(seq, uid, client::CTRL_TYPE_LIST_MY_GROUPS, 0);
      }
    };
    slot_of_request_[seq] = slot_of("demo", uid);
    forward(seq);
  }
  void log_in_somebody() {
    const std::string uid = somebody();
    const std::uint32_t seq = ++next_seq_;
    const std::uint64_t channel = draw(2) == 0 ? channel_of(uid) : 100'000 + seq;
    channels_[seq] = {uid, channel};
    unanswered_[seq] = [this, seq, uid, channel] {
      login(seq, uid, channel, 1, "d" + std::to_string(channel));
    };
    slot_of_request_[seq] = slot_of("demo", uid);
    forward(seq);
  }

  // As a gate: what nobody owns waits.
  void forward(std::uint32_t seq) {
    if (!owned(slot_of_request_[seq])) return;
    later(slot_of_request_[seq] % kThreads, [this, seq](Pipeline&) {
      if (const auto still = unanswered_.find(seq); still != unanswered_.end()) still->second();
    });
  }
  // Whether who answers now has heard of how the request's slot stands.
  bool of_owner(std::uint32_t seq) { return is_told_of(slot_of_request_[seq]); }
  bool is_told_of(Slot slot) {
    return owned(slot) && threads_[slot % kThreads]->context().slots.holds(slot, leases_[slot]);
  }
  void heed_answers() {
    for (const auto& answer : gate_->answers) {
      // Of a former owner only an OK counts, and no login.
      if (!of_owner(answer.seq) && (answer.refused || answer.login_epoch != 0)) {
        refused_before_.insert(answer.seq);
        continue;
      }
      if (unanswered_.erase(answer.seq) == 0) continue;
      if (const auto sent = by_seq_.find(answer.seq); sent != by_seq_.end()) {
        // What a former owner may have done is not refused by the next one.
        sends_[sent->second].refused = answer.refused && !uncertain_.contains(answer.seq);
        sends_[sent->second].acknowledged = !answer.refused;
      }
      if (answer.login_epoch != 0) {
        const auto& [uid, channel] = channels_[answer.seq];
        std::erase_if(sessions_at_gate_, [&](const auto& one) { return one.second.uid() == uid; });
        sessions_at_gate_[channel] =
            session_of(uid, channel, answer.login_epoch, "d" + std::to_string(channel));
        const link::Session told = sessions_at_gate_[channel];
        link::Sessions alive;
        *alive.add_sessions() = told;
        for_threads([this, alive](Pipeline& pipeline) { pipeline.sessions(gate_, alive); });
      }
    }
    gate_->answers.clear();
    gate_->pushes.clear();
    for (const auto& [channel, body] : gate_->kicks) {
      const auto last = sessions_at_gate_.find(channel);
      if (last == sessions_at_gate_.end()) continue;
      EXPECT_FALSE(is_told_of(slot_of("demo", last->second.uid()))) << "the last login was kicked";
    }
    gate_->kicks.clear();
    // Those that the slot's owner has let go wait for the next one; it is told of when it comes.
    gate_->not_owner.clear();
  }

  void lose_some() {
    std::vector<Slot> slots;
    for (const Slot slot : interesting_) {
      if (owned(slot) && draw(3) == 0) slots.push_back(slot);
    }
    if (draw(3) == 0) {
      slots.clear();
      std::ranges::copy_if(interesting_, std::back_inserter(slots),
                           [this](Slot slot) { return owned(slot); });
    }
    for (const auto& [seq, again] : unanswered_) {
      if (std::ranges::find(slots, slot_of_request_[seq]) != slots.end()) uncertain_.insert(seq);
    }
    lose(slots);
  }
  void bring_some_back() {
    std::vector<Slot> slots;
    for (const Slot slot : interesting_) {
      if (!owned(slot) && draw(2) == 0) slots.push_back(slot);
    }
    if (!slots.empty()) bring_back(slots);
  }
  void bring_back(const std::vector<Slot>& slots) {
    regain(slots);
    // In their order, and after the sessions.
    announce_sessions();
    for (const auto& [seq, again] : unanswered_) {
      if (std::ranges::find(slots, slot_of_request_[seq]) == slots.end()) continue;
      forward(seq);
    }
  }

  void check(std::uint64_t seed) {
    heed_answers();
    for (const auto& [seq, again] : unanswered_) ADD_FAILURE() << "seed " << seed << ": no answer to " << seq;
    EXPECT_EQ(retired(), 0U) << seed;
    for (std::uint32_t i = 0; i < kThreads; ++i) {
      EXPECT_EQ(counters_[i].unfinished_bytes.load(), 0) << seed;
      EXPECT_EQ(counters_[i].lanes.load(), 0) << seed;
    }
    const auto sessions = counters_[0].sessions.load() + counters_[1].sessions.load();
    EXPECT_LE(sessions, static_cast<std::int64_t>(kUsers)) << seed;
    for (auto& shard : shards_) {
      EXPECT_TRUE(shard.queue.empty()) << seed;
      EXPECT_TRUE(shard.group_queue.empty()) << seed;
    }
    for (const Send& one : sends_) check_delivered(one, seed);
    check_order(seed);
  }
  void check_delivered(const Send& one, std::uint64_t seed) {
    const auto copies = [&](const std::string& uid) {
      const auto& rows = shard_of(uid).inbox[{"demo", uid}];
      return std::ranges::count(rows, one.content, &MemoryShard::InboxRow::content);
    };
    const int wanted = one.acknowledged ? 1 : 0;
    if (!one.acknowledged && !one.refused) return;
    if (one.group == 0) {
      EXPECT_EQ(copies(one.to), wanted) << seed << " " << one.content;
      return;
    }
    for (const auto& uid : users_) EXPECT_EQ(copies(uid), wanted) << seed << " " << one.content << " " << uid;
  }
  // Of one sender's messages to one receiver none is overtaken, but for those that were refused once.
  void check_order(std::uint64_t seed) {
    for (const auto& uid : users_) {
      std::map<std::pair<std::string, bool>, int> last;
      for (const auto& row : shard_of(uid).inbox[{"demo", uid}]) {
        if (!row.content.starts_with("m")) continue;
        const int number = std::stoi(row.content.substr(1));
        if (was_refused(row.content)) continue;
        int& before = last[{row.from, row.group_seq != 0}];
        EXPECT_LE(before, number) << seed << " at " << uid << " from " << row.from;
        before = number;
      }
    }
  }

  bool was_refused(const std::string& content) {
    return refused_before_.contains(std::ranges::find(sends_, content, &Send::content)->seq);
  }

  void wipe() {
    for (auto& shard : shards_) {
      const auto holds = shard.holds;
      const auto clock = shard.clock;
      shard.outbox.clear();
      shard.inbox.clear();
      shard.groups.clear();
      shard.memberships.clear();
      shard.cursors.clear();
      shard.group_cursors.clear();
      shard.marks.clear();
      shard.pending.clear();
      shard.pending_entries.clear();
      shard.refuse = false;
      shard.clock = clock;
    }
    users_.clear();
    sends_.clear();
    by_seq_.clear();
    unanswered_.clear();
    slot_of_request_.clear();
    channels_.clear();
    uncertain_.clear();
    refused_before_.clear();
    sessions_at_gate_.clear();
    gate_ = std::make_shared<FakeGate>("gate-1", 77);
  }
  std::uint64_t draw(std::uint64_t below) { return random_() % below; }

  std::mt19937_64 random_;
  std::vector<std::string> users_;
  std::int64_t group_ = 0;
  std::vector<Slot> interesting_;
  std::vector<Send> sends_;
  std::map<std::uint32_t, std::size_t> by_seq_;
  std::map<std::uint32_t, std::function<void()>> unanswered_;  // by seq, which is their order
  std::map<std::uint32_t, Slot> slot_of_request_;
  std::map<std::uint32_t, std::pair<std::string, std::uint64_t>> channels_;
  std::set<std::uint32_t> uncertain_;
  std::set<std::uint32_t> refused_before_;  // by a former owner
  std::uint32_t next_seq_ = 10'000;
};

TEST_F(AnyMoves, LoseNothing) {
  config_.pending_after = Milliseconds(1000);
  config_.max_lane_bytes = 300;  // some contents are read again
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    run_seed(seed);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace hongyan::logic
