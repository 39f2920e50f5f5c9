// Two slot threads over two shards in memory, without threads, sockets or clocks.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "logic/pipeline/pipeline.h"
#include "tests/support/memory_shard.h"

namespace hongyan::logic {

class FakeGate : public GatePort {
 public:
  FakeGate(std::string id, std::uint64_t boot) : GatePort(std::move(id), boot) {}

  struct Answer {
    std::uint32_t seq;
    bool refused;
    std::uint64_t login_epoch;
    std::int64_t expires_ms;
    bool confirm;
    std::string body;
  };
  struct Pushed {
    std::uint32_t cmd_id;
    std::uint64_t channel;
    std::string body;
  };

  [[nodiscard]] bool is_open() const noexcept override { return open; }
  void respond(std::uint32_t seq, const GateReply& reply) override {
    answers.push_back(
        {seq, reply.refused, reply.login_epoch, reply.expires_ms, reply.confirm, std::string(reply.body)});
  }
  void respond_not_owner(std::uint32_t seq, Slot, std::uint64_t epoch) override {
    not_owner.push_back(seq);
    last_known_epoch = epoch;
  }
  bool push(Slot, std::uint32_t cmd_id, std::span<const std::uint64_t> channels, std::string_view body,
            const PushSeqs& seqs) override {
    if (!open) return false;
    ++push_packets;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      std::string whole(body);
      if (!seqs.of_channels.empty()) {
        google::protobuf::io::StringOutputStream stream(&whole);
        google::protobuf::io::CodedOutputStream out(&stream);
        out.WriteTag(seqs.field << 3);
        out.WriteVarint64(static_cast<std::uint64_t>(seqs.of_channels[i]));
      }
      pushes.push_back({cmd_id, channels[i], std::move(whole)});
    }
    return true;
  }
  bool kick(std::uint64_t channel, std::string_view kickout) override {
    if (open) kicks.emplace_back(channel, std::string(kickout));
    return open;
  }

  // The answer to a request, or null.
  [[nodiscard]] const Answer* answer(std::uint32_t seq) const {
    for (const auto& one : answers) {
      if (one.seq == seq) return &one;
    }
    return nullptr;
  }

  bool open = true;
  int push_packets = 0;
  std::vector<Answer> answers;
  std::vector<Pushed> pushes;
  std::vector<std::uint32_t> not_owner;
  std::uint64_t last_known_epoch = 0;
  std::vector<std::pair<std::uint64_t, std::string>> kicks;
};

class FakeVerifier : public auth::TokenVerifier {
 public:
  [[nodiscard]] Result<std::int64_t> verify(std::string_view, std::string_view,
                                            std::string_view token) const override {
    if (token == "good") return std::int64_t{1} << 50;
    if (token.starts_with("until ")) return std::stoll(std::string(token.substr(6)));
    return fail(Code::kUnauthenticated, "bad token");
  }
};

class FakeRoutes : public RouteStore {
 public:
  void put(const User& user, const Session&) override { puts.push_back(user.key.uid); }
  void remove(const User& user, const Session&) override { removes.push_back(user.key.uid); }
  std::vector<std::string> puts, removes;
};

class FakeEvents : public EventSink {
 public:
  void publish(Event event) override { all.push_back(std::move(event)); }
  std::vector<Event> all;
};

class PipelineHarness : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kThreads = 2;

  class Host : public PipelineHost {
   public:
    Host(PipelineHarness& harness, std::uint32_t index) : harness_(harness), index_(index) {}
    void later(std::function<void()> f) override { harness_.posted_.emplace_back(index_, std::move(f)); }
    void mail(std::uint32_t thread, ThreadMail mail) override {
      harness_.mail_.emplace_back(thread, std::move(mail));
    }

   private:
    PipelineHarness& harness_;
    const std::uint32_t index_;
  };

  PipelineHarness() { restart(); }

  // A new process over the same shards: everything in memory is gone.
  void restart() {
    threads_.clear();
    mail_.clear();
    posted_.clear();
    for (auto& shard : shards_) {
      shard.queue.clear();
      shard.group_queue.clear();
    }
    for (std::uint32_t i = 0; i < kThreads; ++i) {
      threads_.push_back(std::make_unique<Pipeline>(Pipeline::Deps{.index = i,
                                                                   .thread_count = kThreads,
                                                                   .config = config_,
                                                                   .group_config = group_config_,
                                                                   .rules = &rules_,
                                                                   .shards = shard_set_,
                                                                   .clock = clock_,
                                                                   .counters = counters_[i],
                                                                   .host = hosts_[i],
                                                                   .verifier = verifier_,
                                                                   .routes = routes_,
                                                                   .uploads = uploads_,
                                                                   .events = &events_}));
      threads_[i]->context().now = [this] { return now_; };
      threads_[i]->context().wall = [this] { return wall_; };
    }
  }

  // pending: as it stands in im_pending. mark: of all slots.
  void acquire(std::vector<RedoRow> redo = {}, std::vector<PendingEntry> pending = {},
               std::vector<GroupRedoRow> placed = {}, MsgId mark = 0, std::uint64_t version = 0) {
    for (std::size_t shard = 0; shard < 2; ++shard) {
      std::vector<AcquiredSlot> slots;
      for (std::uint32_t slot = 0; slot < kSlotCount; ++slot) {
        if (shard_set_.index_of(static_cast<Slot>(slot)) == shard) {
          slots.push_back({.slot = static_cast<Slot>(slot), .epoch = 1, .mark = mark});
        }
      }
      for (std::uint32_t i = 0; i < kThreads; ++i) {
        const auto select = [&](const auto& from, auto& to) {
          for (const auto& one : from) {
            if (shard_set_.index_of(one.slot) == shard && one.slot % kThreads == i) to.push_back(one);
          }
        };
        Redo mine;
        select(redo, mine.accepted);
        select(placed, mine.placed);
        select(pending, mine.pending);
        threads_[i]->shard_acquired(shard, slots, std::move(mine), version);
        threads_[i]->end_turn();
      }
    }
  }

  [[nodiscard]] Pipeline& thread_of(std::string_view uid) {
    return *threads_[slot_of("demo", uid) % kThreads];
  }
  [[nodiscard]] MemoryShard& shard_of(std::string_view uid) {
    return shards_[shard_set_.index_of(slot_of("demo", uid))];
  }

  // What a gate tells of a session. announce false: it is alive.
  void tell(const std::shared_ptr<FakeGate>& gate, link::Session session, bool announce) {
    link::Sessions told;
    told.set_announce(announce);
    *told.add_sessions() = std::move(session);
    for (auto& thread : threads_) {
      thread->sessions(gate, told);
      thread->end_turn();
    }
    settle();
  }
  [[nodiscard]] static link::Session session_of(std::string_view uid, std::uint64_t channel,
                                                std::uint64_t epoch, std::string_view device_id = "d") {
    link::Session session;
    session.set_app_id("demo");
    session.set_uid(std::string(uid));
    session.set_channel(channel);
    session.set_device_type(1);
    session.set_device_id(std::string(device_id));
    session.set_login_epoch(epoch);
    return session;
  }

  void request(const std::shared_ptr<FakeGate>& gate, std::uint32_t seq, std::string_view uid,
               std::uint32_t cmd, const std::string& body, std::uint64_t channel = 1,
               std::uint32_t device = 1) {
    Pipeline& thread = thread_of(uid);
    thread.request({.reply_to = {.gate = gate, .seq = seq},
                    .slot = slot_of("demo", uid),
                    .cmd_id = cmd,
                    .app_id = "demo",
                    .uid = uid,
                    .channel = channel,
                    .device_type = device,
                    .body = body});
    thread.end_turn();
  }
  void send(std::uint32_t seq, std::string_view from, std::string_view to, std::string_view id,
            std::string_view content = "hi") {
    client::C2CSendReq body;
    body.set_to(std::string(to));
    body.set_client_msg_id(std::string(id));
    body.set_content(std::string(content));
    request(gate_, seq, from, client::COMMAND_C2C_SEND, body.SerializeAsString());
  }
  void login(std::uint32_t seq, std::string_view uid, std::uint64_t channel, std::uint32_t device = 1,
             std::string_view device_id = "d", std::string_view token = "good",
             std::shared_ptr<FakeGate> gate = nullptr) {
    client::AuthReq body;
    body.set_uid(std::string(uid));
    body.set_token(std::string(token));
    body.set_app_id("demo");
    body.set_device_type(static_cast<client::DeviceType>(device));
    body.set_device_id(std::string(device_id));
    request(gate ? gate : gate_, seq, uid, client::COMMAND_AUTH, body.SerializeAsString(), channel, device);
  }
  // The gate says that the client of the login that was answered under seq is there.
  void confirm(std::uint32_t seq, std::string_view uid, std::uint64_t channel, std::uint32_t device = 1) {
    auto told = session_of(uid, channel, gate_->answer(seq)->login_epoch);
    told.set_device_type(device);
    tell(gate_, std::move(told), false);
  }
  void ack(std::string_view uid, std::uint64_t channel, std::int64_t seq, std::uint32_t device = 1) {
    client::PushAck body;
    body.set_seq(seq);
    request(gate_, 0, uid, client::COMMAND_C2C_PUSH, body.SerializeAsString(), channel, device);
  }

  // Gives works back to their threads. Whether there were any.
  template <typename Work>
  bool finish(std::vector<Work> works) {
    std::vector<std::vector<Work>> by_thread(kThreads);
    for (auto& work : works) by_thread[work->thread].push_back(std::move(work));
    for (std::uint32_t i = 0; i < kThreads; ++i) {
      if (by_thread[i].empty()) continue;
      threads_[i]->works_finished(std::move(by_thread[i]));
      threads_[i]->end_turn();
    }
    return !works.empty();
  }

  // Commits, posts and mails until nothing moves.
  void settle() {
    for (int round = 0; round < 1000; ++round) {
      bool moved = false;
      for (auto& shard : shards_) {
        if (finish(shard.commit())) moved = true;
        if (finish(shard.commit_groups())) moved = true;
      }
      while (!mail_.empty()) {
        moved = true;
        auto [to, mail] = std::move(mail_.front());
        mail_.pop_front();
        threads_[to]->take_mail(std::move(mail));
        threads_[to]->end_turn();
      }
      while (!posted_.empty()) {
        moved = true;
        auto [to, f] = std::move(posted_.front());
        posted_.pop_front();
        f();
        threads_[to]->end_turn();
      }
      if (!moved) return;
    }
    FAIL() << "does not settle";
  }
  void pass(Milliseconds time) {
    now_ += time;
    wall_ += time.count();
    for (auto& thread : threads_) {
      thread->tick();
      thread->end_turn();
    }
    settle();
  }
  void upkeep() {
    for (auto& thread : threads_) {
      thread->upkeep();
      thread->end_turn();
    }
    settle();
  }
  [[nodiscard]] std::uint64_t count(PipelineCounters::Counter PipelineCounters::* member) const {
    return (counters_[0].*member).get() + (counters_[1].*member).get();
  }
  template <typename M>
  [[nodiscard]] M body_of(std::uint32_t seq) const {
    M message;
    const auto* answer = gate_->answer(seq);
    EXPECT_NE(answer, nullptr) << "no answer to " << seq;
    if (answer != nullptr) EXPECT_TRUE(message.ParseFromString(answer->body));
    return message;
  }

  static std::array<std::uint16_t, kSlotCount> halves() {
    std::array<std::uint16_t, kSlotCount> out{};
    for (std::uint32_t slot = kSlotCount / 2; slot < kSlotCount; ++slot) out[slot] = 1;
    return out;
  }

  PipelineConfig config_;
  GroupConfig group_config_;
  RulesOfApps rules_;
  SteadyTime now_ = SteadyClock::now();
  std::int64_t wall_ = 1'700'000'000'000;
  MsgIdClock clock_{1};
  std::array<MemoryShard, 2> shards_{MemoryShard(clock_), MemoryShard(clock_)};
  ShardSet shard_set_{{shards_.data(), &shards_[1]}, halves()};
  std::array<PipelineCounters, kThreads> counters_;
  FakeVerifier verifier_;
  FakeRoutes routes_;
  UploadPort uploads_;
  FakeEvents events_;
  std::shared_ptr<FakeGate> gate_ = std::make_shared<FakeGate>("gate-1", 77);
  std::deque<std::pair<std::uint32_t, ThreadMail>> mail_;
  std::deque<std::pair<std::uint32_t, std::function<void()>>> posted_;
  std::array<Host, kThreads> hosts_{Host(*this, 0), Host(*this, 1)};
  std::vector<std::unique_ptr<Pipeline>> threads_;
};

}  // namespace hongyan::logic
