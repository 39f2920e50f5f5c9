#include "logic/api/caller.h"

#include "common/log/log.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kTick{50};

Error error_of(std::string_view body) {
  client::ErrorOnly only;
  if (!only.ParseFromArray(body.data(), static_cast<int>(body.size())) || !only.has_error()) {
    return {Code::kInternal, "an answer that does not parse"};
  }
  return {static_cast<Code>(only.error().code()), only.error().message(), only.error().retry_after_ms()};
}

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
    : loop_(loop), nodes_(loop, identity, *this, {.link = options.link}), router_(*this, options.router) {}

void Caller::start() { loop_.spawn("api calls", tick(this)); }

net::Awaitable<> Caller::tick(Caller* self) {
  for (;;) {
    co_await net::sleep_for(kTick);
    self->router_.tick(SteadyClock::now());
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
    const Status taken = router_.submit({.channel = number,
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

forward::RouterPort::Sent Caller::send(forward::NodeId node, const forward::Request& request) {
  const Pending& pending = pending_.at(request.channel);
  link::Link* link = nodes_.link_of(node);
  link::ClientRequest envelope;
  envelope.set_cmd_id(request.cmd_id);
  envelope.set_app_id(pending.app_id);
  envelope.set_uid(pending.uid);
  const bool sent = link != nullptr && link->send(link::LINK_COMMAND_REQUEST, request.link_seq, request.slot,
                                                  envelope, request.body);
  return sent ? Sent::kSent : Sent::kNotNow;
}

void Caller::answered(const forward::Request& request, const forward::Answer& answer) {
  if (answer.refused) return end(request.channel, std::unexpected(error_of(answer.body)));
  end(request.channel, std::string(answer.body));
}

void Caller::refused(const forward::Request& request, Code code, std::uint32_t retry_after_ms) {
  end(request.channel,
      fail(code, code == Code::kUnavailable ? "nobody serves this user now" : "no answer in time",
           retry_after_ms));
}

void Caller::on_link_down(const link::LinkPtr& link) {
  const forward::NodeId node = nodes_.down(link);
  if (node != 0) router_.send_waiting(router_.node_down(node));
}

void Caller::on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) {
  const forward::NodeId node = nodes_.id_of(link);
  if (node == 0) return;
  for (const auto& packet : packets) {
    if (packet.command == link::LINK_COMMAND_RESPONSE) {
      const auto answer = forward::parse_answer(packet);
      if (answer) router_.answer(node, packet.seq, *answer);
    } else if (packet.command == link::LINK_COMMAND_SLOTS) {
      const auto ranges = forward::parse_slots(packet);
      if (!ranges) return link->close(ranges.error().message);
      router_.send_waiting(router_.node_announced(node, *ranges));
    }
  }
}

}  // namespace hongyan::logic
