#include "logic/message/uploads.h"

#include "logic/message/fan_out_cost.h"
#include "logic/user/check_id.h"

namespace hongyan::logic {

namespace {
constexpr std::size_t kMostJoined = 64;  // requests answered by one upload: it and its resends
}  // namespace

std::string Uploads::key_of(std::string_view app_id, std::string_view uid, std::string_view client_msg_id) {
  std::string key;
  key.reserve(app_id.size() + uid.size() + client_msg_id.size() + 2);
  key.append(app_id).append(1, '\0').append(uid).append(1, '\0').append(client_msg_id);
  return key;
}

Status Uploads::check(const Request& request) const {
  if (auto ok = check_id(request_.destination(), kMaxDestination, "destination"); !ok) return ok;
  if (auto ok = check_id(request_.client_msg_id(), kMaxClientMsgId, "client_msg_id"); !ok) return ok;
  if (port_.sink == nullptr) return fail(Code::kFailedPrecondition, "this server takes no uploads");
  if (!port_.destinations->allowed(request.app_id, request_.destination())) {
    return fail(Code::kNotFound, "this app has no such destination");
  }
  return {};
}

void Uploads::c2s(const Request& request) {
  if (!context_.parse(request, request_)) return;
  if (auto ok = check(request); !ok) return context_.refuse(request.reply_to, ok.error());

  std::string key = key_of(request.app_id, request.uid, request_.client_msg_id());
  const auto first = on_their_way_.find(key);
  if (first != on_their_way_.end()) return join(request, first->second, std::move(key));
  User& user = context_.users.get(request.app_id, request.uid, request.slot);
  const std::size_t bytes = kRowBytes + request_.content().size();
  if (!has_room(user, request, bytes)) return;

  auto work = std::make_unique<UploadWork>();
  work->app_id = request.app_id;
  work->uid = request.uid;
  work->destination = request_.destination();
  work->client_msg_id = request_.client_msg_id();
  work->content = std::move(*request_.mutable_content());
  work->device_type = request.device_type;
  work->msg_id = context_.clock.next();
  work->time_ms = context_.wall();
  work->thread = context_.index;
  if (auto taken = port_.sink->publish(work); !taken) {
    user.uploaded.give_back(static_cast<double>(bytes), user.rules->upload.rate());
    return context_.refuse(request.reply_to, taken.error());
  }
  ++user.busy;
  ++user.uploads;
  user.upload_bytes += bytes;
  const std::uint64_t number = next_number_++;
  on_their_way_.try_emplace(key, OnItsWay{.destination = request_.destination(),
                                          .owner = &user,
                                          .bytes = bytes,
                                          .waiting = {request.reply_to},
                                          .number = number});
  deadlines_.push_back({.at = context_.now() + port_.timeout, .key = std::move(key), .number = number});
}

void Uploads::join(const Request& request, OnItsWay& first, std::string key) {
  if (first.destination != request_.destination()) {
    return context_.refuse(request.reply_to,
                           {Code::kAlreadyExists, "client_msg_id was used for another target"});
  }
  if (first.waiting.size() >= kMostJoined) {
    return context_.refuse(request.reply_to,
                           {Code::kUnavailable, "this upload is asked for too often", kRetryMs});
  }
  context_.counters.duplicates.add();
  first.waiting.push_back(request.reply_to);
  deadlines_.push_back({.at = context_.now() + port_.timeout, .key = std::move(key), .number = first.number});
}

bool Uploads::has_room(User& user, const Request& request, std::size_t bytes) const {
  const PipelineConfig& config = context_.config;
  const bool full = user.uploads >= config.max_uploads_of_user ||
                    (user.uploads > 0 && user.upload_bytes + bytes > config.max_upload_bytes_of_user);
  if (full) {
    context_.limit(request.reply_to, Limited::kUploads, "too many uploads of this user are under way",
                   kRetryMs);
    return false;
  }
  const Rate rate = user.rules->upload.rate();
  if (user.uploaded.take(static_cast<double>(bytes), rate, context_.now())) return true;
  context_.limit(request.reply_to, Limited::kUploadRate, "this user uploads more than it may",
                 user.uploaded.wait_ms(rate.per_second));
  return false;
}

void Uploads::finished(const UploadWork& work) {
  const auto found = on_their_way_.find(key_of(work.app_id, work.uid, work.client_msg_id));
  if (found == on_their_way_.end()) return;
  const std::vector<ReplyTo> waiting = std::move(found->second.waiting);
  User& user = *found->second.owner;
  --user.busy;
  --user.uploads;
  user.upload_bytes -= found->second.bytes;
  on_their_way_.erase(found);
  if (!work.outcome) {
    for (const auto& to : waiting) context_.refuse(to, work.outcome.error());
    return;
  }
  context_.counters.uploads.add();
  client::C2SResp response;
  response.set_msg_id(work.msg_id);
  response.set_timestamp(work.time_ms);
  const std::string body = response.SerializeAsString();
  for (const auto& to : waiting) reply(to, body);
}

void Uploads::tick() {
  while (!deadlines_.empty() && deadlines_.front().at <= context_.now()) {
    const auto found = on_their_way_.find(deadlines_.front().key);
    // A resend may wait a little less than its own time: it is sent once more, and joins again.
    if (found != on_their_way_.end() && found->second.number == deadlines_.front().number) {
      for (const auto& to : std::exchange(found->second.waiting, {})) {
        context_.refuse(to, {Code::kDeadlineExceeded, "no report in time: it may have been published"});
      }
    }
    deadlines_.pop_front();
  }
}

}  // namespace hongyan::logic
