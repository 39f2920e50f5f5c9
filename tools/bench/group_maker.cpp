#include "tools/bench/group_maker.h"

#include <fmt/format.h>

#include <algorithm>

namespace hongyan::bench {

namespace {

constexpr std::uint32_t kSeq = 6;
constexpr int kMembersOfACall = 1'000;
constexpr int kMostTries = 100;
constexpr std::uint32_t kLeastRetryMs = 100;

bool for_now(client::ErrorCode code) {
  return code == client::ERROR_CODE_UNAVAILABLE || code == client::ERROR_CODE_RATE_LIMITED ||
         code == client::ERROR_CODE_DEADLINE_EXCEEDED || code == client::ERROR_CODE_INTERNAL;
}

net::Awaitable<Result<client::GroupOpResult>> operate(Worker& worker, std::shared_ptr<Connection> connection,
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
    net::Timer timer(worker.loop.executor());
    timer.expires_after(Milliseconds(std::max(kLeastRetryMs, error.retry_after_ms())));
    net::error_code ignored;
    co_await timer.async_wait(net::await(ignored));
  }
}

}  // namespace

net::Awaitable<Result<client::Group>> make_group(Worker& worker, std::shared_ptr<Connection> connection,
                                                 std::string name, int members,
                                                 std::function<std::string(int)> name_of) {
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
    const auto result = co_await operate(worker, connection, std::move(request));
    if (!result) co_return std::unexpected(result.error());
    if (result->group().group_id() <= 0) co_return fail(Code::kInternal, "the answer names no group");
    group = result->group();
  }
  co_return group;
}

}  // namespace hongyan::bench
