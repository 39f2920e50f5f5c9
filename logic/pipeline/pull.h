// Offline messages: pages of a user's inbox and outbox.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "logic/group/config.h"
#include "logic/group/followed_groups.h"
#include "logic/message/push_acks.h"
#include "logic/user/request.h"
#include "logic/user/thread_context.h"
#include "logic/user/user_loader.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// Answers PULL for the users of one slot thread. A page never goes above the tail that is known to be
// committed, and its offset acknowledges what the device holds. One thread; reads run on the shard's readers.
//
// Of one user rules->pulls are under way at once, within rules->pull bytes a second; up to kMostWaiting wait for
// their turn, for config.accept_deadline at most, and are then refused with UNAVAILABLE. More are refused with
// RATE_LIMITED.
class PullService {
 public:
  static constexpr std::int32_t kDefaultLimit = 10;
  static constexpr std::int32_t kMaxLimit = 200;
  // Clients name groups that they have left, too.
  static constexpr std::size_t kMostGroups = 2'000;

  PullService(ThreadContext& context, const GroupConfig& group_config, PushAcks& acks, UserLoader& loader,
              FollowedGroups& followed_groups)
      : context_(context),
        group_config_(group_config),
        acks_(acks),
        loader_(loader),
        followed_groups_(followed_groups) {}

  static constexpr std::size_t kMostWaiting = 16;  // of a user

  void pull(const Request& request);
  // The user's slot leaves: what waits is the next owner's to answer.
  void leave(User& user);
  // Every 100 ms or so: who may go on.
  void tick();

 private:
  struct Page;  // a pull under way, or waiting
  using Waiting = std::deque<std::shared_ptr<Page>>;

  // Whether another pull of the user may begin.
  [[nodiscard]] bool has_turn(User& user) const;
  void wait(User& user, std::shared_ptr<Page> page);
  // Begins what may begin. False: nothing waits any more.
  bool go_on(User& user, Waiting& waiting);
  void begin(User& user, const std::shared_ptr<Page>& page);
  void refuse(Page& page, const Error& error);
  // Whether the page is still true: nobody else has taken the slot over. False: it is refused.
  [[nodiscard]] bool holds(Page& page);
  // The pull is answered, with so many bytes.
  void ended(Page& page, std::size_t bytes);
  void start(User& user, const std::shared_ptr<Page>& page);
  void read_inbox(const std::shared_ptr<Page>& page);
  void read_outbox(const std::shared_ptr<Page>& page);
  void read_groups(const std::shared_ptr<Page>& page);
  void answer(Page& page);

  ThreadContext& context_;
  const GroupConfig& group_config_;
  PushAcks& acks_;
  UserLoader& loader_;
  FollowedGroups& followed_groups_;
  client::PullReq request_;
  std::unordered_map<User*, Waiting> waiting_;
};

}  // namespace hongyan::logic
