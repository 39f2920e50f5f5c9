// What a client sends, and the requests made of it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "client/cpp/send_queue.h"
#include "client/cpp/types.h"

namespace hongyan::client {

struct ToUser {
  std::string to{};
  std::string content{};
};
struct ToService {
  std::string destination{};
  std::string content{};
};
struct ToGroup {
  std::int64_t group_id = 0;
  std::string content{};
  std::vector<std::string> mentions{};
};
// Made by the functions of client/cpp/group.h.
struct GroupRequest {
  CtrlType type = CTRL_TYPE_CREATE_GROUP;
  std::int64_t group_id = 0;  // 0: none
  GroupOp op{};
};
using Outgoing = std::variant<ToUser, ToService, ToGroup, GroupRequest>;

// Errors: kBadRequest, what the server would surely refuse; kTooLarge.
[[nodiscard]] Result<SendQueue::Request> make_request(const CoreOptions& options, Outgoing what,
                                                      SendOptions send_options);

}  // namespace hongyan::client
