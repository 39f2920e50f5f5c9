#include "tools/bench/actors/group_maker.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/bench/actors/retry.h"

namespace hongyan::bench {

namespace {

constexpr std::uint32_t kSeq = 6;
constexpr int kMembersOfACall = 1'000;
constexpr int kMostTries = 100;

net::Awaitable<Result<client::GroupOpResult>> operate(std::shared_ptr<Connection> connection,
                                                      client::CtrlSendReq request) {
  for (int tries = 1;; ++tries) {
    const auto body =
        co_await connection->request(client::COMMAND_CTRL_SEND, kSeq, request.SerializeAsString());
    if (!body) co_return std::unexpected(body.error());
    client::CtrlSendResp response;
    client::GroupOpResult result;
    if (!response.ParseFromString(*body) || !result.ParseFromString(response.content())) {
      co_return fail(Code::kInternal, "a group operation's answer does not parse");
    }
    const auto& error = response.error();
    if (error.code() == client::ERROR_CODE_OK) co_return result;
    if (!for_now(error.code()) || tries == kMostTries) {
      co_return fail(static_cast<Code>(error.code()), "group operation refused: " + error.message());
    }
    co_await net::sleep_for(retry_after(error.retry_after_ms()));
  }
}

}  // namespace

net::Awaitable<Result<client::Group>> make_group(std::shared_ptr<Connection> connection, std::string name,
                                                 int members, std::function<std::string(int)> name_of) {
  client::Group group;
  for (int next = 1; next == 1 || next < members;) {
    client::GroupOp op;
    const int end = std::min(members, next + kMembersOfACall);
    client::CtrlSendReq request;
    request.set_client_msg_id(fmt::format("{}-{}", name, next));
    for (; next < end; ++next) op.add_members(name_of(next));
    if (group.group_id() == 0) {
      op.set_name(name);
      next = std::max(next, 2);
    } else {
      request.set_type(client::CTRL_TYPE_ADD_MEMBERS);
      request.set_to(std::to_string(group.group_id()));
    }
    request.set_content(op.SerializeAsString());
    const auto result = co_await operate(connection, std::move(request));
    if (!result) co_return std::unexpected(result.error());
    if (result->group().group_id() <= 0) co_return fail(Code::kInternal, "the answer names no group");
    group = result->group();
  }
  co_return group;
}

}  // namespace hongyan::bench
