// What clients and the server API ask about groups.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "logic/group/config.h"
#include "logic/group/group_asks.h"
#include "logic/message/accept.h"
#include "logic/message/fan_out_cost.h"
#include "logic/user/request.h"
#include "logic/user/thread_context.h"
#include "logic/user/user_loader.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// C2G_SEND and CTRL_SEND of one slot thread's users, and the same of services. One thread.
//
// Who may send is asked of the sender's own list of groups: it is written before the command that changed it
// is answered, unless a shard is slow. A command is a message like any other; its outcome comes back from the
// group's owner and answers it.
//
// Before a client's command adds somebody, the shards are asked whether that user is in too many groups; before
// the first message to a group, its owner is asked how many members pay for it. Meanwhile what the user sends to
// the group stands in line, so that nothing is overtaken.
class GroupCalls {
 public:
  // A command that is not answered by then is answered with kDeadlineExceeded: it may yet be done.
  static constexpr Milliseconds kPatience{10'000};

  GroupCalls(ThreadContext& context, const GroupConfig& config, Accept& accept, UserLoader& loader,
             GroupAsks& asks)
      : context_(context), config_(config), accept_(accept), loader_(loader), asks_(asks) {}

  void c2g(const Request& request);
  // CTRL_SEND, or COMMAND_CTRL of a service.
  void ctrl(const Request& request);
  // COMMAND_GROUP of a service.
  void read(const Request& request);

  // A command is in its sender's outbox: its answers wait for the outcome.
  void stored(AcceptWork& work);
  void answered(const CtrlAnswer& answer);
  // The slot leaves: outcomes of its users' commands come to its next owner, who gets the requests, too.
  void leave(Slot slot);
  void tick();

 private:
  struct Waiting {
    std::vector<ReplyTo> to;
    std::int64_t timestamp = 0;
    SteadyTime until;
    UserKey sender;
    Slot slot = 0;
    std::int64_t group_id = 0;
  };
  struct MyGroups;

  // Runs it once the user's groups are known.
  void with_groups(const Request& request, void (GroupCalls::*then)(const Request&, User&));
  void send_message(const Request& request, User& user);
  void send_command(const Request& request, User& user);
  // The message, if the user's own list has the group. Else its owner is asked: who has just been added and
  // has not heard of it is refused for now, a stranger for good.
  // joining: whom it adds, who have to be asked whether they may be in one more group.
  void send_as_member(const Request& request, User& user, NewMessage message, FanOutCost cost,
                      std::vector<std::string> joining);
  void send_as_stranger(const Request& request, const User& user, NewMessage message);
  void pay_and_send(const Request& request, User& user, NewMessage message, FanOutCost cost,
                    std::size_t members);

  // A send of a user to a group about which something is to be asked first, or that stands behind such a one.
  struct InLine {
    OwnedRequest request;
    NewMessage message;
    FanOutCost cost;
    std::vector<std::string> joining;  // to be asked about
    bool counted = false;              // the group's members were asked for
  };
  using LineKey = std::pair<User*, std::int64_t>;
  void stand_in_line(const LineKey& key, InLine one);
  // Asks what is to be asked, or sends, and goes on with the next.
  void go_on(const LineKey& key);
  void ask_for_members(const LineKey& key);
  // Unless it was stored before.
  void refuse_for_groups(NewMessage& message) const;
  void leave_line(const LineKey& key, InLine one);
  // Whether all of them may be in one more group; an answer of storage that does not come counts as yes. Later.
  void ask_for_room(const User& asker, const std::vector<std::string>& uids,
                    std::function<void(bool has_room)> then);
  // Of a command that was not done: it may have been counted on.
  void forget_members(const Waiting& waiting);
  void read_one(const ReplyTo& to, GroupAsk ask);
  void list_mine(const Request& request, User& user, const client::GroupOp& op);
  void reply_result(const ReplyTo& to, const client::GroupOpResult& result);

  ThreadContext& context_;
  const GroupConfig& config_;
  Accept& accept_;
  UserLoader& loader_;
  GroupAsks& asks_;
  std::unordered_map<MsgId, Waiting> waiting_;
  std::map<LineKey, std::deque<InLine>> lines_;  // none is empty; its users stay in memory
  client::C2GSendReq message_;
  client::CtrlSendReq command_;
};

}  // namespace hongyan::logic
