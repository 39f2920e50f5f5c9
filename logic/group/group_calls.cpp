#include "logic/group/group_calls.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "logic/group/command_cost.h"
#include "logic/group/rules.h"
#include "logic/user/check_id.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kDefaultMembers = 100;
constexpr std::size_t kMostMembers = 1000;
constexpr std::size_t kDefaultGroups = 20;
constexpr std::size_t kMostGroups = 100;

// 0: not the decimal of a positive id.
std::int64_t parse_group_id(std::string_view text) {
  const auto id = parse_number<std::int64_t>(text);
  return id && *id > 0 && std::to_string(*id) == text ? *id : 0;
}

std::size_t limit_of(std::int32_t wanted, std::size_t usual, std::size_t most) {
  return wanted <= 0 ? usual : std::min(static_cast<std::size_t>(wanted), most);
}

const Error kNotAMember{Code::kPermissionDenied, "not a member of the group"};

}  // namespace

// A page of list_mine while owners are asked.
struct GroupCalls::MyGroups {
  ReplyTo to;
  std::vector<client::Group> groups;
  std::size_t missing = 0;
};

void GroupCalls::c2g(const Request& request) { with_groups(request, &GroupCalls::send_message); }

void GroupCalls::ctrl(const Request& request) { with_groups(request, &GroupCalls::send_command); }

void GroupCalls::with_groups(const Request& request, void (GroupCalls::*then)(const Request&, User&)) {
  if (!context_.serves(request)) return;
  User& user = context_.users.get(request.app_id, request.uid, request.slot);
  if (user.loaded) return (this->*then)(request, user);
  loader_.load(user, [this, &user, then, kept = OwnedRequest(request)](const Status& status) {
    const Request again = kept.view();
    if (!status) return context_.refuse(again.reply_to, status.error());
    (this->*then)(again, user);
  });
}

void GroupCalls::send_message(const Request& request, User& user) {
  if (!context_.parse(request, message_)) return;
  if (!message_.from().empty() && message_.from() != request.uid) {
    return context_.refuse(request.reply_to, {Code::kPermissionDenied, "from is not the session's user"});
  }
  if (message_.group_id() <= 0) {
    return context_.refuse(request.reply_to, {Code::kBadRequest, "group_id is not positive"});
  }
  if (static_cast<std::size_t>(message_.mentions_size()) > config_.max_mentions) {
    return context_.refuse(request.reply_to, {Code::kTooLarge, "too many mentions"});
  }
  NewMessage wanted;
  Message& message = wanted.message;
  message.group_id = message_.group_id();
  message.client_msg_id = std::move(*message_.mutable_client_msg_id());
  message.content = share(std::move(*message_.mutable_content()));
  message.command = client::COMMAND_C2G_SEND;
  message.type = message_.msg_type();
  if (message_.mentions_size() > 0) {
    internal::Mentions mentions;
    for (auto& uid : *message_.mutable_mentions()) {
      if (auto ok = check_id(uid, kMaxUid, "a mentioned uid"); !ok) {
        return context_.refuse(request.reply_to, ok.error());
      }
      mentions.add_uids(std::move(uid));
    }
    message.mentions = share(mentions.SerializeAsString());
  }
  const FanOutCost cost = cost_to_group(message);
  send_as_member(request, user, std::move(wanted), cost, {});
}

void GroupCalls::send_as_member(const Request& request, User& user, NewMessage message, FanOutCost cost,
                                std::vector<std::string> joining) {
  const LineKey key{&user, message.message.group_id};
  const UserGroup* group = user.group(key.second);
  if (group == nullptr || !group->is_member()) return send_as_stranger(request, user, std::move(message));
  if (group->members > 0 && joining.empty() && !lines_.contains(key)) {
    return pay_and_send(request, user, std::move(message), cost, group->members);
  }
  stand_in_line(key, {.request = OwnedRequest(request.without_body()),
                      .message = std::move(message),
                      .cost = cost,
                      .joining = std::move(joining)});
}

void GroupCalls::stand_in_line(const LineKey& key, InLine one) {
  ++key.first->busy;
  auto& line = lines_[key];
  line.push_back(std::move(one));
  if (line.size() == 1) go_on(key);
}

void GroupCalls::go_on(const LineKey& key) {
  for (auto line = lines_.find(key); line != lines_.end(); line = lines_.find(key)) {
    InLine& first = line->second.front();
    const UserGroup* group = key.first->group(key.second);
    const bool known = group == nullptr || group->members > 0;
    if (!known && !std::exchange(first.counted, true)) return ask_for_members(key);
    if (!first.joining.empty()) {
      const auto joining = std::exchange(first.joining, {});
      return ask_for_room(*key.first, joining, [this, key](bool has_room) {
        if (!has_room) refuse_for_groups(lines_.at(key).front().message);
        go_on(key);
      });
    }
    InLine one = std::move(first);
    line->second.pop_front();
    if (line->second.empty()) lines_.erase(line);
    leave_line(key, std::move(one));
  }
}

void GroupCalls::leave_line(const LineKey& key, InLine one) {
  User& user = *key.first;
  const UserGroup* group = user.group(key.second);
  if (group == nullptr || !group->is_member()) {
    send_as_stranger(one.request.view(), user, std::move(one.message));
  } else {
    // What is not to be learned costs as much as it may.
    const std::size_t members = group->members > 0 ? group->members : config_.large_threshold;
    pay_and_send(one.request.view(), user, std::move(one.message), one.cost, members);
  }
  --user.busy;
}

void GroupCalls::refuse_for_groups(NewMessage& message) const {
  context_.counters.limited[static_cast<std::size_t>(Limited::kMemberships)].add();
  message.unless_stored =
      Error{Code::kFailedPrecondition, "who is to be in the group is in too many groups already"};
}

void GroupCalls::ask_for_members(const LineKey& key) {
  GroupAsk ask;
  ask.group = {.app_id = key.first->key.app_id, .group_id = key.second};
  ask.with_group = false;
  if (context_.shards.of(slot_of_group(ask.group.app_id, key.second)).down()) return go_on(key);
  asks_.ask(std::move(ask), [this, key](const GroupReply& reply) {
    UserGroup* group = key.first->group(key.second);
    if (group != nullptr && reply.error.code == Code::kOk) group->members = reply.members;
    go_on(key);
  });
}

void GroupCalls::ask_for_room(const User& asker, const std::vector<std::string>& uids,
                              std::function<void(bool has_room)> then) {
  struct Asked {
    std::size_t missing = 1;
    bool has_room = true;
    std::function<void(bool)> then;
  };
  std::map<std::size_t, std::set<std::string_view>> of_shard;
  for (const auto& uid : uids) {
    of_shard[context_.shards.index_of(slot_of(asker.key.app_id, uid))].insert(uid);
  }
  const auto asked = std::make_shared<Asked>(Asked{.then = std::move(then)});
  const auto one_less = [asked] {
    if (--asked->missing == 0) asked->then(asked->has_room);
  };
  for (const auto& [shard, those] : of_shard) {
    if (context_.shards.at(shard).down()) continue;
    std::vector<UserKey> users;
    for (const auto uid : those) users.push_back({.app_id = asker.key.app_id, .uid = std::string(uid)});
    ++asked->missing;
    context_.shards.at(shard).count_memberships(
        asker.key, std::move(users), [this, asked, one_less](Result<std::vector<std::size_t>> counts) {
          const bool full = counts && std::ranges::any_of(*counts, [this](std::size_t count) {
                              return count >= config_.max_groups_of_user;
                            });
          context_.later([asked, one_less, full] {
            asked->has_room = asked->has_room && !full;
            one_less();
          });
        });
  }
  context_.later(one_less);
}

void GroupCalls::pay_and_send(const Request& request, User& user, NewMessage message, FanOutCost cost,
                              std::size_t members) {
  UserGroup* group = user.group(message.message.group_id);
  message.cost = cost.of(members, group != nullptr && group->large());
  // What follows at once goes to those who are being added, too; what the owner tells replaces this.
  if (accept_.send(request, std::move(message)) && group != nullptr) group->members += cost.joining;
}

void GroupCalls::send_as_stranger(const Request& request, const User& user, NewMessage message) {
  GroupAsk ask;
  ask.group = {.app_id = user.key.app_id, .group_id = message.message.group_id};
  ask.uid = user.key.uid;
  asks_.ask(std::move(ask), [this, kept = OwnedRequest(request.without_body()),
                             mine =
                                 std::make_shared<NewMessage>(std::move(message))](const GroupReply& reply) {
    switch (reply.error.code) {
      case Code::kOk:
        mine->unless_stored = Error{Code::kUnavailable, "the group has not reached you yet", kRetrySoonMs};
        break;
      case Code::kPermissionDenied:
        mine->unless_stored = kNotAMember;
        break;
      default:
        mine->unless_stored = reply.error;
    }
    accept_.send(kept.view(), std::move(*mine));
  });
}

void GroupCalls::send_command(const Request& request, User& user) {
  const bool service = request.cmd_id == internal::COMMAND_CTRL;
  const auto refuse = [&](Code code, const char* why) { context_.refuse(request.reply_to, {code, why}); };
  if (!context_.parse(request, command_)) return;
  if (!command_.from().empty() && command_.from() != request.uid) {
    return refuse(Code::kPermissionDenied, "from is not the session's user");
  }
  GroupCommand command{.type = command_.type(), .actor = user.key.uid, .service = service, .op = {}};
  const client::CtrlType type = command.type;
  const client::GroupOp& op = command.op;
  if (!parse(command.op, command_.content())) return refuse(Code::kBadRequest, "content does not parse");
  if (auto ok = check_command(command, config_); !ok) {
    return context_.refuse(request.reply_to, ok.error());
  }
  if (type == client::CTRL_TYPE_LIST_MY_GROUPS) return list_mine(request, user, op);
  const bool creates = type == client::CTRL_TYPE_CREATE_GROUP;
  const bool joins = type == client::CTRL_TYPE_JOIN_GROUP;
  const std::int64_t group_id = creates ? 0 : parse_group_id(command_.to());
  if (!creates && group_id == 0) return refuse(Code::kBadRequest, "to is not a group's id");
  if (creates && !command_.to().empty()) return refuse(Code::kBadRequest, "to must be empty");
  if (op.offset() < 0) return refuse(Code::kBadRequest, "offset is negative");
  if (is_read(type)) {
    GroupAsk ask;
    ask.group = {.app_id = user.key.app_id, .group_id = group_id};
    ask.uid = user.key.uid;
    ask.with_members = type == client::CTRL_TYPE_LIST_MEMBERS;
    ask.offset = op.offset();
    ask.limit = limit_of(op.limit(), kDefaultMembers, kMostMembers);
    return read_one(request.reply_to, std::move(ask));
  }
  NewMessage wanted;
  Message& message = wanted.message;
  message.to = std::move(*command_.mutable_to());
  message.group_id = group_id;
  message.client_msg_id = std::move(*command_.mutable_client_msg_id());
  message.content = share(std::move(*command_.mutable_content()));
  message.command = static_cast<std::int32_t>(request.cmd_id);
  message.type = static_cast<std::int32_t>(type);
  const FanOutCost cost = cost_of_command(message, type, op, config_);
  std::vector<std::string> joining;
  if (!service && cost.joining > 0) joining.assign(op.members().begin(), op.members().end());
  if (!service && !creates && !joins) {
    return send_as_member(request, user, std::move(wanted), cost, std::move(joining));
  }
  // Who joins does not know how many hear of it.
  wanted.cost = cost.of(joins ? config_.large_threshold : 0, false);
  if (service) {
    accept_.send(request, std::move(wanted));
    return;
  }
  if (user.groups.memberships() >= config_.max_groups_of_user) refuse_for_groups(wanted);
  if (wanted.unless_stored || joining.empty()) {
    accept_.send(request, std::move(wanted));
    return;
  }
  ask_for_room(user, joining,
               [this, kept = OwnedRequest(request.without_body()),
                mine = std::make_shared<NewMessage>(std::move(wanted))](bool has_room) {
                 if (!has_room) refuse_for_groups(*mine);
                 accept_.send(kept.view(), std::move(*mine));
               });
}

void GroupCalls::read(const Request& request) {
  internal::GroupRead wanted;
  if (!parse(wanted, request.body) || wanted.offset() < 0) {
    return context_.refuse(request.reply_to, {Code::kBadRequest, "body does not parse"});
  }
  GroupAsk ask;
  ask.group = {.app_id = std::string(request.app_id), .group_id = wanted.group_id()};
  ask.with_members = wanted.members();
  ask.offset = wanted.offset();
  ask.limit = limit_of(wanted.limit(), kDefaultMembers, kMostMembers);
  read_one(request.reply_to, std::move(ask));
}

void GroupCalls::read_one(const ReplyTo& to, GroupAsk ask) {
  asks_.ask(std::move(ask), [this, to](const GroupReply& reply) {
    if (reply.error.code != Code::kOk) return context_.refuse(to, reply.error);
    reply_result(to, reply.result);
  });
}

void GroupCalls::list_mine(const Request& request, User& user, const client::GroupOp& op) {
  if (op.offset() < 0) return context_.refuse(request.reply_to, {Code::kBadRequest, "offset is negative"});
  std::vector<std::int64_t> ids;
  for (const auto& [id, group] : user.groups) {
    if (group.is_member()) ids.push_back(id);
  }
  ids.erase(ids.begin(),
            ids.begin() + std::min<std::int64_t>(op.offset(), static_cast<std::int64_t>(ids.size())));
  ids.resize(std::min(ids.size(), limit_of(op.limit(), kDefaultGroups, kMostGroups)));
  if (ids.empty()) return reply_result(request.reply_to, {});
  // Each asks many groups' owners, who may have to read them.
  if (user.lists >= user.rules->pulls) {
    return context_.limit(request.reply_to, Limited::kPulls, "too many lists of this user are under way",
                          kRetryMs);
  }
  ++user.lists;
  ++user.busy;
  const auto page = std::make_shared<MyGroups>();
  page->to = request.reply_to;
  page->groups.resize(ids.size());
  page->missing = ids.size();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    GroupAsk ask;
    ask.group = {.app_id = user.key.app_id, .group_id = ids[i]};
    ask.uid = user.key.uid;
    asks_.ask(std::move(ask), [this, &user, page, i, id = ids[i]](const GroupReply& reply) {
      page->groups[i] = reply.result.group();
      // Its owner cannot be asked, or the user has just left: the id is all that is known.
      if (reply.error.code != Code::kOk) page->groups[i].set_group_id(id);
      if (--page->missing > 0) return;
      --user.lists;
      --user.busy;
      client::GroupOpResult result;
      for (auto& group : page->groups) *result.add_groups() = std::move(group);
      reply_result(page->to, result);
    });
  }
}

void GroupCalls::reply_result(const ReplyTo& to, const client::GroupOpResult& result) {
  client::CtrlSendResp response;
  response.set_timestamp(context_.wall());
  response.set_content(result.SerializeAsString());
  reply(to, response.SerializeAsString());
}

void GroupCalls::stored(AcceptWork& work) {
  Waiting& waiting = waiting_[work.message.id];
  waiting.timestamp = work.message.sent_ms;
  waiting.until = context_.now() + kPatience;
  waiting.sender = work.user;
  waiting.slot = work.slot;
  waiting.group_id = work.message.group_id;
  std::ranges::move(work.waiting, std::back_inserter(waiting.to));
}

void GroupCalls::answered(const CtrlAnswer& answer) {
  const auto it = waiting_.find(answer.msg_id);
  if (it == waiting_.end()) return;
  const Waiting waiting = std::move(it->second);
  waiting_.erase(it);
  if (answer.error.code != Code::kOk) {
    forget_members(waiting);
    for (const auto& to : waiting.to) context_.refuse(to, answer.error);
    return;
  }
  client::CtrlSendResp response;
  response.set_msg_id(answer.msg_id);
  response.set_timestamp(waiting.timestamp);
  response.set_content(answer.result);
  const std::string body = response.SerializeAsString();
  for (const auto& to : waiting.to) reply(to, body);
}

void GroupCalls::forget_members(const Waiting& waiting) {
  User* sender = context_.users.find(waiting.sender.app_id, waiting.sender.uid);
  UserGroup* group = sender == nullptr ? nullptr : sender->group(waiting.group_id);
  if (group != nullptr) group->members = 0;
}

void GroupCalls::leave(Slot slot) {
  std::erase_if(waiting_, [slot](const auto& one) { return one.second.slot == slot; });
}

void GroupCalls::tick() {
  const SteadyTime now = context_.now();
  std::erase_if(waiting_, [&](auto& one) {
    if (one.second.until > now) return false;
    for (const auto& to : one.second.to) {
      context_.refuse(to, {Code::kDeadlineExceeded, "the group's owner has not answered"});
    }
    return true;
  });
}

}  // namespace hongyan::logic
