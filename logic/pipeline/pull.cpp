#include "logic/pipeline/pull.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "logic/message/push_bodies.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kPullBytes = 256;  // of a pull besides what it brings

Error waited_too_long() {
  return {Code::kUnavailable, "too many pulls of this user come before it", kRetryMs};
}

}  // namespace

struct PullService::Page {
  ReplyTo reply_to;
  User* owner = nullptr;  // kept in memory until the answer
  SteadyTime since;
  UserKey user;
  Slot slot = 0;
  DeviceClass device_class = DeviceClass::kUnknown;
  std::uint64_t channel = 0;
  std::uint64_t session = 0;  // its number; 0: gone
  bool inbox_ends = false;    // nothing of it comes after this page
  std::int64_t offset = 0;
  std::int64_t outbox_offset = -1;
  std::size_t limit = 0;
  std::size_t bytes_left = 0;
  google::protobuf::RepeatedPtrField<client::GroupOffset> groups;
  client::PullResp response;
};

void PullService::pull(const Request& request) {
  const auto refuse = [this, &request](Code code, std::string message) {
    context_.refuse(request.reply_to, {code, std::move(message), code == Code::kUnavailable ? 500U : 0U});
  };
  if (!context_.parse(request, request_)) return;
  if (!request_.uid().empty() && request_.uid() != request.uid) {
    return refuse(Code::kPermissionDenied, "uid is not the session's user");
  }
  if (request_.offset() < 0) return refuse(Code::kBadRequest, "offset is negative");
  if (static_cast<std::size_t>(request_.groups_size()) >
      std::max(kMostGroups, group_config_.max_groups_of_user)) {
    return refuse(Code::kBadRequest, "too many groups");
  }
  if (request_.outbox_offset() < -1) return refuse(Code::kBadRequest, "outbox_offset is negative");
  if (!context_.serves(request)) return;
  User& user = context_.users.get(request.app_id, request.uid, request.slot);
  if (Session* session = user.session_on(*request.reply_to.gate, request.channel)) {
    acks_.sign_of_life(user, *session);
  }
  auto page = std::make_shared<Page>();
  page->reply_to = request.reply_to;
  page->user = user.key;
  page->slot = request.slot;
  page->device_class = device_class(request.device_type);
  page->channel = request.channel;
  page->offset = request_.offset();
  page->outbox_offset = request_.outbox_offset();
  page->limit =
      static_cast<std::size_t>(request_.limit() <= 0 ? kDefaultLimit : std::min(request_.limit(), kMaxLimit));
  page->bytes_left = context_.config.pull_bytes;
  page->groups = std::move(*request_.mutable_groups());
  page->owner = &user;
  page->since = context_.now();
  if (has_turn(user) && !waiting_.contains(&user)) return begin(user, page);
  wait(user, std::move(page));
}

bool PullService::has_turn(User& user) const {
  const Rate rate = user.rules->pull.rate();
  user.pulled.spend(0, rate, context_.now());
  return user.pulls < user.rules->pulls && user.pulled.wait_ms(rate.per_second) == 0;
}

void PullService::wait(User& user, std::shared_ptr<Page> page) {
  Waiting& waiting = waiting_[&user];
  if (waiting.size() >= kMostWaiting) {
    return context_.limit(page->reply_to, Limited::kPulls, "too many pulls of this user wait", kRetryMs);
  }
  ++user.busy;
  waiting.push_back(std::move(page));
}

void PullService::leave(User& user) {
  const auto waiting = waiting_.extract(&user);
  if (waiting.empty()) return;
  for (const auto& page : waiting.mapped()) {
    --user.busy;
    context_.not_owner(page->reply_to);
  }
}

bool PullService::holds(Page& page) {
  if (!page.owner->retired && context_.serves(page.slot)) return true;
  refuse(page, storage_is_away());
  return false;
}

bool PullService::go_on(User& user, Waiting& waiting) {
  while (!waiting.empty()) {
    const bool late = context_.now() - waiting.front()->since > context_.config.accept_deadline;
    if (!late && !has_turn(user)) return true;
    const auto page = std::move(waiting.front());
    waiting.pop_front();
    --user.busy;
    if (late) {
      context_.refuse(page->reply_to, waited_too_long());
    } else {
      begin(user, page);
    }
  }
  return false;
}

void PullService::tick() {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    it = go_on(*it->first, it->second) ? std::next(it) : waiting_.erase(it);
  }
}

void PullService::begin(User& user, const std::shared_ptr<Page>& page) {
  ++user.pulls;
  ++user.busy;
  context_.counters.pulls.add();
  loader_.load(user, [this, &user, page](const Status& status) {
    if (!status) return refuse(*page, status.error());
    start(user, page);
  });
}

void PullService::refuse(Page& page, const Error& error) {
  context_.refuse(page.reply_to, error);
  ended(page, 0);
}

// What waits begins in a turn of its own: this may be called from within one that begins.
void PullService::ended(Page& page, std::size_t bytes) {
  User& user = *page.owner;
  --user.pulls;
  --user.busy;
  user.pulled.spend(static_cast<double>(kPullBytes + bytes), user.rules->pull.rate(), context_.now());
  if (!waiting_.contains(&user)) return;
  context_.later([this, user = &user] {
    const auto it = waiting_.find(user);
    if (it != waiting_.end() && !go_on(*user, it->second)) waiting_.erase(it);
  });
}

void PullService::start(User& user, const std::shared_ptr<Page>& page) {
  if (!holds(*page)) return;
  client::PullResp& response = page->response;
  response.set_inbox_seq(*user.inbox_seq);
  response.set_outbox_seq(*user.outbox_seq);
  if (page->offset > *user.inbox_seq || page->outbox_offset > *user.outbox_seq) {
    response.mutable_error()->set_code(client::ERROR_CODE_FAILED_PRECONDITION);
    response.mutable_error()->set_message("offset is beyond the head");
    const std::string body = response.SerializeAsString();
    if (page->reply_to.seq != 0) {
      page->reply_to.gate->respond(page->reply_to.seq, {.refused = true, .body = body});
    }
    return ended(*page, 0);
  }
  Session* session = user.session_on(*page->reply_to.gate, page->channel);
  if (session != nullptr) page->session = session->number;
  // A device that holds less than another of its class did is no mistake, and acknowledges nothing.
  const auto device = static_cast<std::size_t>(page->device_class);
  if (page->offset >= user.acked_inbox[device]) {
    acks_.acked_inbox(user, session, page->device_class, page->offset);
  }
  if (page->outbox_offset >= user.acked_outbox[device]) {
    acks_.acked_outbox(user, page->device_class, page->outbox_offset);
  }
  read_inbox(page);
}

void PullService::read_inbox(const std::shared_ptr<Page>& page) {
  page->inbox_ends = page->offset >= page->response.inbox_seq();
  if (page->inbox_ends) return read_outbox(page);
  context_.shards.of(page->slot)
      .read_inbox(page->user, page->offset, page->response.inbox_seq(), page->limit, page->bytes_left,
                  [this, page](Result<std::vector<StoredMessage>> read) {
                    auto shared = std::make_shared<Result<std::vector<StoredMessage>>>(std::move(read));
                    context_.later([this, page, shared] {
                      if (!*shared) return refuse(*page, shared->error());
                      const std::size_t bytes =
                          append_page(*page->response.mutable_msg(), std::move(**shared));
                      page->bytes_left -= std::min(page->bytes_left, bytes);
                      const auto& rows = page->response.msg();
                      page->inbox_ends = rows.empty() || rows.rbegin()->seq() >= page->response.inbox_seq();
                      read_outbox(page);
                    });
                  });
}

void PullService::read_outbox(const std::shared_ptr<Page>& page) {
  const bool full = page->bytes_left == 0 && !page->response.msg().empty();
  if (page->outbox_offset < 0 || page->outbox_offset >= page->response.outbox_seq() || full)
    return read_groups(page);
  context_.shards.of(page->slot)
      .read_outbox(page->user, page->outbox_offset, page->response.outbox_seq(), page->limit,
                   page->bytes_left, [this, page](Result<std::vector<StoredMessage>> read) {
                     auto shared = std::make_shared<Result<std::vector<StoredMessage>>>(std::move(read));
                     context_.later([this, page, shared] {
                       if (!*shared) return refuse(*page, shared->error());
                       const std::size_t bytes =
                           append_page(*page->response.mutable_sent(), std::move(**shared));
                       page->bytes_left -= std::min(page->bytes_left, bytes);
                       read_groups(page);
                     });
                   });
}

void PullService::read_groups(const std::shared_ptr<Page>& page) {
  const int messages = page->response.msg_size() + page->response.sent_size();
  User* user = page->owner;
  if (user->groups.empty() || (page->bytes_left == 0 && messages > 0)) return answer(*page);
  auto pull = std::make_shared<FollowedGroups::Pull>();
  pull->session = page->session;
  pull->inbox_ends = page->inbox_ends;
  pull->device_class = page->device_class;
  for (const auto& named : page->groups) pull->offsets.try_emplace(named.group_id(), named.offset());
  pull->limit = page->limit;
  pull->bytes_left = std::max<std::size_t>(page->bytes_left, 1);
  pull->response = &page->response;
  pull->done = [this, page] { answer(*page); };
  followed_groups_.pull(*user, std::move(pull));
}

void PullService::answer(Page& page) {
  if (!holds(page)) return;
  int messages = page.response.msg_size() + page.response.sent_size();
  for (const auto& group : page.response.groups()) messages += group.msg_size();
  context_.counters.pulled_messages.add(static_cast<std::uint64_t>(messages));
  const std::string body = page.response.SerializeAsString();
  reply(page.reply_to, body);
  ended(page, body.size());
}

}  // namespace hongyan::logic
