// The whole pipeline of the users whose slots a slot thread holds.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "logic/group/config.h"
#include "logic/group/followed_groups.h"
#include "logic/group/group_asks.h"
#include "logic/group/group_calls.h"
#include "logic/group/owned_groups.h"
#include "logic/login/logins.h"
#include "logic/message/accept.h"
#include "logic/message/delivery.h"
#include "logic/message/lane.h"
#include "logic/message/push.h"
#include "logic/message/push_acks.h"
#include "logic/message/uploads.h"
#include "logic/nodes/node_calls.h"
#include "logic/nodes/other_nodes.h"
#include "logic/pipeline/pull.h"
#include "logic/pipeline/server_calls.h"
#include "logic/user/cursors.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// Mail of one turn between slot threads of one node.
struct ThreadMail {
  std::vector<LaneBatch> batches;
  std::vector<LaneResult> results;
  GroupMail groups;
  [[nodiscard]] bool empty() const noexcept { return batches.empty() && results.empty() && groups.empty(); }
};

// Runs a pipeline: gives it its turns, and carries mail to the pipelines of other slot threads of the node.
class PipelineHost : public Turns {
 public:
  virtual void mail(std::uint32_t thread, ThreadMail mail) = 0;  // only queues
};

// The pipeline of one thread without I/O: every input is a call on its thread, every output goes through a
// port. Slot s belongs to thread s mod thread_count. One thread.
class Pipeline : private Steps,
                 private LanePort,
                 private GroupMailbox,
                 private SessionWatcher,
                 private NodeListener {
 public:
  struct Deps {
    std::uint32_t index = 0;
    std::uint32_t thread_count = 1;
    const PipelineConfig& config;
    const GroupConfig& group_config;
    const RulesOfApps* rules = nullptr;  // null: the defaults
    ShardSet& shards;
    MsgIdClock& clock;
    PipelineCounters& counters;
    PipelineHost& host;
    const auth::TokenVerifier& verifier;
    RouteStore& routes;
    UploadPort uploads;
    EventSink* events = nullptr;  // null: not wanted
    bool stored_events = false;   // of messages, too
  };
  explicit Pipeline(const Deps& deps);

  void request(Request request);
  void sessions(const GatePortPtr& gate, const link::Sessions& told);
  // The gate closed the session, or has no such channel any more.
  void session_closed(const GatePort& gate, std::uint64_t channel) { logins_.closed(gate, channel); }
  void gate_up(const GatePortPtr& gate) { logins_.gate_up(*gate); }
  void gate_down(const GatePortPtr& gate) { logins_.gate_down(gate); }
  // A link of this thread to another node.
  void node_up(owners::NodeId node, PeerPortPtr port) { other_nodes_.up(node, std::move(port)); }
  void node_down(owners::NodeId node) { other_nodes_.down(node); }
  // From the other end of it. Error: the link is to be closed.
  [[nodiscard]] Status from_node(owners::NodeId node, const link::LinkPacket& packet);
  // From a slot thread of another node that has linked up, for a slot of this thread. Error: as before.
  [[nodiscard]] Status from_peer(const PeerPortPtr& port, const link::LinkPacket& packet);
  void works_finished(std::vector<WriterWorkPtr> works);
  void works_finished(std::vector<GroupWorkPtr> works);
  void uploads_finished(const std::vector<UploadWorkPtr>& uploads);
  void take_mail(ThreadMail mail);
  // slots: of all threads. redo: of this thread's slots. version: of the announcement that tells gates of them.
  void shard_acquired(std::size_t shard, std::span<const AcquiredSlot> slots, Redo redo,
                      std::uint64_t version = 0);
  // The node does not hold these slots, of all threads, any more: users, groups, lanes and sessions of those of this
  // thread are forgotten, as nobody's but their next owner's. What is under way comes back, and is answered where it is
  // known what became of it; all else is for the next owner to do.
  void slots_lost(std::size_t shard, std::span<const Slot> slots);
  void shard_status(std::size_t shard, SlotStatus status) { context_.slots.set_status(shard, status); }
  // Writes the cursors now, for the end of the process; done: all that could be written is.
  void flush_cursors(std::function<void()> done) { cursors_.flush(std::move(done)); }
  void rewrite_routes() { logins_.rewrite_routes(); }
  // Every 100 ms or so.
  void tick();
  // Writes marks and im_pending, once a second.
  void upkeep();

  // Sends what the turn produced. Whoever runs turns (SlotThread, tests) ends each with it.
  void end_turn();

  [[nodiscard]] ThreadContext& context() noexcept { return context_; }

 private:
  void command_accepted(AcceptWork& work) override { group_calls_.stored(work); }
  void accepted(AcceptWork& work) override;
  void came_for_group(DeliverWorkPtr work) override { owned_groups_.take(std::move(work)); }
  void session_opened(User& user) override { followed_groups_.session_opened(user); }
  void delivered(const DeliverWork& work) override;
  void fanned_out(MsgId placed_id) override { owned_groups_.fanned_out(placed_id); }
  void group_acked(User& user, DeviceClass device_class, std::int64_t group_id,
                   std::int64_t group_seq) override {
    followed_groups_.acked(user, device_class, group_id, group_seq);
  }
  void send_batch(LaneBatch batch) override;
  void send_result(const Origin& source, LaneResult result) override;
  void ask(GroupAsk ask) override;
  void reply(const Origin& to, GroupReply reply) override;
  void answer(Slot slot, CtrlAnswer answer) override;
  void broadcast(GroupBroadcast message) override;
  void lane_result(LaneResult result) override { lanes_.result(std::move(result)); }
  void group_reply(GroupReply reply) override { group_asks_.replied(std::move(reply)); }
  void group_news(owners::NodeId from, const GroupBroadcast& message) override {
    followed_groups_.heard(from, message);
  }
  void owners_changed(std::span<const Slot> slots) override;
  void asks_lost(owners::NodeId node) override { group_asks_.node_down(node); }
  void session_announced(const User& user, Session& session) override {
    followed_groups_.catch_up(user, session);
  }
  void take_groups(GroupMail mail);
  void take_ask(GroupAsk ask);

  const Deps deps_;
  ThreadContext context_;
  Cursors cursors_;
  UserLoader loader_;
  PushAcks acks_;
  Pusher pusher_;
  Lanes lanes_;
  Accept accept_;
  Delivery delivery_;
  OwnedGroups owned_groups_;
  Logins logins_;
  GroupAsks group_asks_;
  FollowedGroups followed_groups_;
  GroupCalls group_calls_;
  PullService pull_;
  Uploads uploads_;
  ServerCalls server_calls_;
  OtherNodes other_nodes_;
  NodeCalls node_calls_;
  std::vector<ThreadMail> outgoing_;    // by thread
  std::vector<bool> upkeep_under_way_;  // by shard
};

}  // namespace hongyan::logic
