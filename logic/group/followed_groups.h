// The members' side of large groups: heads, pushes of what is stored once, and what devices acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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

  void tick() {
    timers_.run([this](const Awaited& awaited) { due(awaited); });
  }

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
  [[nodiscard]] std::optional<std::int64_t> head_of(const GroupKey& group) const;
  void learn_head(const GroupKey& group, std::int64_t head);
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
  std::unordered_map<GroupKey, std::int64_t, GroupKeyHash> heads_;  // committed; as far as is known
  std::map<PageKey, std::vector<OnPage>> reading_;
  AckTimers<Awaited> timers_;
  GatePushes pushes_;
};

}  // namespace hongyan::logic
