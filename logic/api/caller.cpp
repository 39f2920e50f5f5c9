#include "logic/api/caller.h"

#include "common/protocol/errors.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kTick{50};

}  // namespace

struct Caller::Group {
  Group(net::Executor executor, std::size_t calls)
      : done(executor), results(calls, std::string()), left(calls) {
    done.expires_at(SteadyTime::max());
  }
  net::Timer done;
  std::vector<Result<std::string>> results;
  std::size_t left;
};

Caller::Caller(net::EventLoop& loop, const link::Identity& identity, Options options)
    : loop_(loop),
      owners_(loop, identity, *this, {.name = "api", .router = options.router, .link = options.link}) {}

void Caller::start() { loop_.spawn("api calls", tick(this)); }

net::Awaitable<> Caller::tick(Caller* self) {
  for (;;) {
    co_await net::sleep_for(kTick);
    self->owners_.tick(SteadyClock::now());
  }
}

net::Awaitable<std::vector<Result<std::string>>> Caller::call_all(std::vector<Call> calls) {
  loop_.assert_in_loop();
  const auto group = std::make_shared<Group>(loop_.executor(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    Call& call = calls[i];
    const std::uint64_t number = next_number_++;
    pending_[number] = {
        .group = group, .index = i, .app_id = std::move(call.app_id), .uid = std::move(call.uid)};
    const Status taken = owners_.submit({.channel = number,
                                         .slot = call.slot,
                                         .cmd_id = call.command,
                                         .is_send = call.changes,
                                         .body = call.body},
                                        SteadyClock::now());
    if (!taken) end(number, std::unexpected(taken.error()));
  }
  if (group->left > 0) {
    net::error_code ignored;
    co_await group->done.async_wait(net::await(ignored));
  }
  co_return std::move(group->results);
}

net::Awaitable<Result<std::string>> Caller::call(Call call) {
  std::vector<Call> one;
  one.push_back(std::move(call));
  auto results = co_await call_all(std::move(one));
  co_return std::move(results.front());
}

void Caller::end(std::uint64_t number, Result<std::string> result) {
  const auto it = pending_.find(number);
  const auto group = std::move(it->second.group);
  group->results[it->second.index] = std::move(result);
  pending_.erase(it);
  if (--group->left == 0) group->done.cancel();
}

owners::Requester::Sent Caller::send(owners::NodeId node, const owners::Request& request) {
  const Pending& pending = pending_.at(request.channel);
  link::ClientRequest envelope;
  envelope.set_cmd_id(request.cmd_id);
  envelope.set_app_id(pending.app_id);
  envelope.set_uid(pending.uid);
  return owners_.send(node, request, envelope);
}

void Caller::answered(const owners::Request& request, const owners::Answer& answer) {
  if (answer.refused) return end(request.channel, std::unexpected(protocol::error_of(answer.body)));
  end(request.channel, std::string(answer.body));
}

void Caller::refused(const owners::Request& request, const Error& error) {
  end(request.channel, std::unexpected(error));
}

}  // namespace hongyan::logic
