// One client request as a gate forwards it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "logic/user/gate_port.h"
#include "proto/internal.pb.h"

namespace hongyan::logic {

// Views are valid during the call that gets the request.
struct Request {
  ReplyTo reply_to;
  Slot slot = 0;                 // of (app_id, uid)
  std::uint64_t slot_epoch = 0;  // as the sender believes, then under which it was taken. 0: not said
  std::uint32_t cmd_id = 0;
  std::string_view app_id;
  std::string_view uid;
  std::uint64_t channel = 0;
  std::uint32_t device_type = 0;
  std::string_view body;

  // Of the server API, not of a client.
  [[nodiscard]] bool of_service() const noexcept { return cmd_id >= internal::COMMAND_FIRST; }
  // For what has read the body.
  [[nodiscard]] Request without_body() const {
    Request request = *this;
    request.body = {};
    return request;
  }
};

// A request kept beyond the call that brought it.
class OwnedRequest {
 public:
  explicit OwnedRequest(const Request& request)
      : app_id_(request.app_id), uid_(request.uid), body_(request.body), request_(request) {}
  // Valid as long as this.
  [[nodiscard]] Request view() const {
    Request request = request_;
    request.app_id = app_id_;
    request.uid = uid_;
    request.body = body_;
    return request;
  }

 private:
  std::string app_id_;
  std::string uid_;
  std::string body_;
  Request request_;  // its views are replaced
};

}  // namespace hongyan::logic
