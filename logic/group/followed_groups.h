// The members' side of large groups: heads, pushes of what is stored once, and what devices acknowledged.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "logic/group/group_asks.h"
#include "logic/group/mail.h"
#include "logic/message/ack_timers.h"
#include "logic/message/gate_pushes.h"
#include "logic/message/push_acks.h"
#include "logic/user/cursors.h"
#include "logic/user/thread_context.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// For the users of one slot thread. One thread.
//
// What is committed in a group is told to all slot threads of the node that owns the group, and on other nodes to
// those that follow it: who asks for its head does. A head is trusted as long as the group has the owner that told
// it, over the same link; then it is asked again, and who is online and behind is told.
//
// A device that has not acknowledged what it was pushed of a group within ack_timeout is told to pull it,
// once for all that was pushed by then.
class FollowedGroups {
 public:
  FollowedGroups(ThreadContext& context, Cursors& cursors, PushAcks& acks, GroupAsks& asks)
      : context_(context), cursors_(cursors), acks_(acks), asks_(asks), timers_(context) {}

  // A message is committed: to the devices of its members that are online here, one packet a gate.
  void committed(const GroupBroadcast& message);

  // The groups' slots were acquired, or have left: what is known of their heads is of the past.
  void forget_heads(const std::function<bool(Slot)>& of);
  // The same, from a node that owns the group and knows only who joined by it or left: to all members that are
  // online here.
  void heard(owners::NodeId from, const GroupBroadcast& message);
  // The user has another session.
  void session_opened(const User& user);
  // A stay of the user's has begun, ended or changed.
  void stay_changed(const UserKey& user, std::int64_t group_id);
  // What is known of these slots' groups may be old.
  void owners_changed(std::span<const Slot> slots);

  // A session that a gate told of: what was committed while nobody knew of it was not pushed to it.
  void catch_up(const User& user, Session& session);

  // The device holds the group up to seq. Beyond the head or backwards: counted and ignored.
  void acked(User& user, DeviceClass device_class, std::int64_t group_id, std::int64_t seq);

  // A page of a pull: of the groups that the device names, from there; once the inbox is at its end, of all
  // others of the user's large groups with news, from its cursor. Not before: what was said before a group
  // was large stands in the inbox and comes first, so the device would throw them away. A device is told to
  // pull again when a group could not be read.
  struct Pull {
    std::uint64_t session = 0;  // 0: gone
    bool inbox_ends = false;
    DeviceClass device_class = DeviceClass::kUnknown;
    std::unordered_map<std::int64_t, std::int64_t> offsets;  // by group_id
    std::size_t limit = 0;                                   // messages
    std::size_t bytes_left = 0;                              // of contents
    client::PullResp* response = nullptr;
    std::function<void()> done;  // on this thread
  };
  // The user stays in memory until it is done.
  void pull(User& user, std::shared_ptr<Pull> pull);

  void tick();

 private:
  struct Part {
    GroupKey group;
    std::int64_t after = 0;
    std::int64_t last = 0;  // what this user may read
  };
  // A push that is not acknowledged yet.
  struct Awaited {
    std::uint64_t session = 0;
    std::int64_t group_id = 0;
    std::int64_t seq = 0;
  };

  // A read of one page, shared by all who want the same at the same time: after a first push to many.
  struct PageKey {
    GroupKey group;
    std::int64_t after = 0;
    std::int64_t up_to = 0;
    std::size_t limit = 0;
    std::size_t bytes = 0;
    auto operator<=>(const PageKey&) const = default;
  };
  using PageRows = Result<std::vector<StoredMessage>>;
  using OnPage = std::function<void(const PageRows&)>;

  void read_page(const PageKey& key, OnPage then);
  // Empty: not known, or not trusted.
  [[nodiscard]] std::optional<std::int64_t> head_of(const GroupKey& group) const;
  // It is at least that.
  [[nodiscard]] std::optional<std::int64_t> known_head_of(const GroupKey& group) const;
  void learn_head(const GroupKey& group, std::int64_t head, owners::NodeId from);
  // Who is a member and online.
  void follow(const User& user, std::int64_t group_id);
  void follow_again(const GroupKey& key);
  void push_to(const GroupBroadcast& message, User& user);
  void send_pushes(const GroupBroadcast& message);
  static constexpr std::size_t kFollowedATick = 200;
  void pushed(Session& session, std::int64_t group_id, std::int64_t seq);
  // Tells the device to pull the group, if it holds less than the head.
  void notify_if_behind(const User& user, Session& session, const UserGroup& group);
  void due(const Awaited& awaited);
  using Parts = std::shared_ptr<std::vector<Part>>;
  static constexpr std::size_t kGroupsOfATurn = 512;

  // The groups above this id that have something to read, some of them in a turn; then go_on().
  void collect(User& user, const std::shared_ptr<Pull>& pull, const Parts& parts, std::int64_t above);
  void consider(User& user, Pull& pull, std::int64_t group_id, std::vector<Part>& parts);
  void go_on(const std::shared_ptr<Pull>& pull, const Parts& parts);
  void left_out(const Pull& pull, const Part& part);
  void read(const std::shared_ptr<Pull>& pull, const std::shared_ptr<std::vector<Part>>& parts,
            std::size_t index);

  ThreadContext& context_;
  Cursors& cursors_;
  PushAcks& acks_;
  GroupAsks& asks_;
  struct Head {
    Slot slot = 0;
    std::int64_t seq = 0;
    owners::Owner told_by;
  };
  std::unordered_map<GroupKey, Head, GroupKeyHash> heads_;
  struct Online {
    Slot slot = 0;
    std::set<std::string> uids;  // some may have gone or left
    bool to_ask = false;         // stands in to_ask_
  };
  std::unordered_map<GroupKey, Online, GroupKeyHash> online_;
  std::deque<GroupKey> to_ask_;
  std::map<PageKey, std::vector<OnPage>> reading_;
  AckTimers<Awaited> timers_;
  GatePushes pushes_;
};

}  // namespace hongyan::logic
