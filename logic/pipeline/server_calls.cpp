#include "logic/pipeline/server_calls.h"

#include <algorithm>

#include "logic/user/presence.h"
#include "proto/internal.pb.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMostOnline = 1000;

// Stands where a gate would, gathers the answers to the sends of one S2cStore, and answers that when all are
// there; not at all when the slot has left after some were: the next owner gets the whole then. Request i of it has
// seq i + 1. Its slot thread only.
class StoreAnswers : public GatePort {
 public:
  StoreAnswers(ReplyTo to, int targets) : GatePort(to.gate.get()), to_(std::move(to)), left_(targets) {
    for (int i = 0; i < targets; ++i) stored_.add_results();
  }

  [[nodiscard]] bool is_open() const noexcept override { return to_.gate->is_open(); }
  void respond(std::uint32_t seq, const GateReply& answer) override {
    auto& result = *stored_.mutable_results(static_cast<int>(seq - 1));
    client::C2CSendResp response;  // its error stands where every response has it
    static_cast<void>(parse(response, answer.body));
    result.set_msg_id(response.msg_id());
    result.set_timestamp(response.timestamp());
    if (answer.refused) *result.mutable_error() = response.error();
    refused_ = refused_ || answer.refused;
    one_less();
  }
  void respond_not_owner(std::uint32_t, Slot, std::uint64_t slot_epoch) override {
    ++not_taken_;
    last_epoch_ = slot_epoch;
    one_less();
  }
  // Nobody pushes to or kicks what is no gate.
  bool push(Slot, std::uint32_t, std::span<const std::uint64_t>, std::string_view, const PushSeqs&) override {
    return false;
  }
  bool kick(std::uint64_t, std::string_view) override { return false; }

 private:
  void one_less() {
    if (--left_ > 0 || to_.seq == 0) return;
    const int targets = stored_.results_size();
    if (not_taken_ == targets) return to_.gate->respond_not_owner(to_.seq, to_.slot, last_epoch_);
    if (not_taken_ > 0) return;
    const std::string body = stored_.SerializeAsString();
    to_.gate->respond(to_.seq, {.partly_refused = refused_, .body = body});
  }

  const ReplyTo to_;
  internal::S2cStored stored_;
  int left_;
  bool refused_ = false;
  int not_taken_ = 0;
  std::uint64_t last_epoch_ = 0;
};

}  // namespace

bool is_internal(std::uint32_t cmd_id) noexcept { return cmd_id >= internal::COMMAND_FIRST; }

void ServerCalls::handle(const Request& request) {
  switch (request.cmd_id) {
    case internal::COMMAND_S2C_STORE:
      return store(request);
    case internal::COMMAND_S2C_PUSH:
      return with_sessions(request, &ServerCalls::push);
    case internal::COMMAND_PRESENCE:
      return with_sessions(request, &ServerCalls::presence);
    case internal::COMMAND_KICK:
      return with_sessions(request, &ServerCalls::kick);
    case internal::COMMAND_ONLINE:
      return with_sessions(request, &ServerCalls::online);
    case internal::COMMAND_CTRL:
      return group_calls_.ctrl(request);
    case internal::COMMAND_GROUP:
      return group_calls_.read(request);
    case internal::COMMAND_USER:
      return accounts_.read(request);
    case internal::COMMAND_REGISTER:
      return accounts_.register_user(request);
    case internal::COMMAND_BAN:
      return accounts_.ban(request);
    default:
      return context_.refuse(request.reply_to, {Code::kUnknownCommand, "this node is older than the caller"});
  }
}

void ServerCalls::store(const Request& request) {
  internal::S2cStore wanted;
  if (!parse(wanted, request.body) || wanted.targets().empty()) {
    return context_.refuse(request.reply_to, {Code::kBadRequest, "body does not parse"});
  }
  const bool to_group = wanted.group_id() != 0;
  const SharedBytes content = share(std::move(*wanted.mutable_content()));
  SharedBytes mentions;
  if (wanted.mentions_size() > 0) {
    internal::Mentions all;
    all.mutable_uids()->Swap(wanted.mutable_mentions());
    mentions = share(all.SerializeAsString());
  }
  Request one = request;
  one.reply_to.gate = std::make_shared<StoreAnswers>(request.reply_to, wanted.targets_size());
  one.reply_to.seq = 0;
  for (auto& target : *wanted.mutable_targets()) {
    ++one.reply_to.seq;
    Message message;
    message.to = std::move(*target.mutable_uid());
    message.client_msg_id = std::move(*target.mutable_client_msg_id());
    message.content = content;
    message.mentions = mentions;
    message.group_id = wanted.group_id();
    message.command = to_group ? client::COMMAND_C2G_SEND : client::COMMAND_S2C;
    message.type = wanted.msg_type();
    accept_.send(one, {.message = std::move(message)});
  }
}

void ServerCalls::with_sessions(const Request& request, void (ServerCalls::*then)(const Request&)) {
  logins_.when_known(request.slot, [this, then, kept = OwnedRequest(request)] {
    const Request again = kept.view();
    if (context_.serves(again)) (this->*then)(again);
  });
}

void ServerCalls::push(const Request& request) {
  internal::S2cPush wanted;
  if (!context_.parse(request, wanted)) return;
  internal::S2cPushed pushed;
  pushed.set_timestamp(context_.wall());
  const User* user = context_.users.find(request.app_id, request.uid);
  if (user != nullptr && !user->sessions.empty()) {
    client::S2CPush message;
    message.set_from(std::move(*wanted.mutable_from()));
    message.set_content(std::move(*wanted.mutable_content()));
    message.set_msg_id(wanted.msg_id());
    message.set_timestamp(pushed.timestamp());
    message.set_msg_type(wanted.msg_type());
    pushed.set_outcome(pusher_.push_unstored(*user, message) ? internal::S2cPushed::OUTCOME_ONLINE
                                                             : internal::S2cPushed::OUTCOME_DROPPED);
  }
  reply(request.reply_to, pushed.SerializeAsString());
}

void ServerCalls::presence(const Request& request) {
  client::Presence presence;
  logins_.presence(request.app_id, request.uid, presence);
  reply(request.reply_to, presence.SerializeAsString());
}

void ServerCalls::kick(const Request& request) {
  internal::Kick wanted;
  if (!context_.parse(request, wanted)) return;
  std::optional<std::uint32_t> device_type;
  if (wanted.has_device_type()) device_type = static_cast<std::uint32_t>(wanted.device_type());
  const auto told = logins_.kick(request.app_id, request.uid, device_type, wanted.reason());
  if (!told) return context_.refuse(request.reply_to, told.error());
  internal::Kicked kicked;
  kicked.set_sessions(*told);
  reply(request.reply_to, kicked.SerializeAsString());
}

void ServerCalls::online(const Request& request) {
  internal::Online wanted;
  if (!context_.parse(request, wanted)) return;
  internal::OnlinePage page;
  logins_.table().online(request.app_id, request.slot, wanted.after(),
                         std::min<std::size_t>(wanted.limit(), kMostOnline),
                         [&page](const User& user) { describe(user, *page.add_users()); });
  reply(request.reply_to, page.SerializeAsString());
}

}  // namespace hongyan::logic
