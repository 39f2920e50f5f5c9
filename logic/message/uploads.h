// The C2S command: what a user sends to a business service goes to the sink (Kafka).
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "logic/message/upload_sink.h"
#include "logic/user/request.h"
#include "logic/user/thread_context.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// Takes uploads of the users of one slot thread. One thread.
//
// An upload is answered with its msg_id once the sink reports it published, so that an OK means "is in the
// topic". Refused for sure: UNAVAILABLE. Unknown, or no report within UploadPort::timeout:
// DEADLINE_EXCEEDED; the client sends it again with the same client_msg_id. An id that is still on its way
// joins the first attempt and gets its answer; later it is published again: at least once, and who consumes
// tells copies by (ce_source, ce_subject, hongyan_client_msg_id).
//
// Needs the user's slot, because the slot's thread is what keeps a user's order, but no storage: uploads go
// on while the slot's shard is away. Of one user max_uploads_of_user and max_upload_bytes_of_user are on their
// way, within rules->upload bytes a second; past any of them RATE_LIMITED. Bounded in all by the sink.
class Uploads {
 public:
  Uploads(ThreadContext& context, const UploadPort& port) : context_(context), port_(port) {}

  // C2S. Answers now when it is refused, else when the sink has reported.
  void c2s(const Request& request);
  // The sink is through with it.
  void finished(const UploadWork& work);
  // Every 100 ms or so: what has waited too long.
  void tick();

 private:
  struct OnItsWay {
    std::string destination;
    User* owner = nullptr;  // kept in memory until the report
    std::size_t bytes = 0;
    std::vector<ReplyTo> waiting;  // the upload and its resends meanwhile; none once the time was up
    std::uint64_t number = 0;
  };
  struct Deadline {
    SteadyTime at;
    std::string key;
    std::uint64_t number = 0;  // of the attempt: the key may be used again
  };

  [[nodiscard]] Status check(const Request& request) const;
  // An upload with this key is on its way: the request waits for its outcome, or is refused.
  void join(const Request& request, OnItsWay& first, std::string key);
  // Whether the user may upload so much more; else the request is refused.
  [[nodiscard]] bool has_room(User& user, const Request& request, std::size_t bytes) const;
  // app, uid and client_msg_id, none of which contains NUL.
  [[nodiscard]] static std::string key_of(std::string_view app_id, std::string_view uid,
                                          std::string_view client_msg_id);

  ThreadContext& context_;
  const UploadPort port_;
  std::unordered_map<std::string, OnItsWay> on_their_way_;
  std::deque<Deadline> deadlines_;  // by time: each takes port_.timeout
  std::uint64_t next_number_ = 1;
  client::C2SReq request_;  // reused, so that parsing allocates little
};

}  // namespace hongyan::logic
