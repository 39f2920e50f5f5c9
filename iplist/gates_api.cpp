#include "iplist/gates_api.h"

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/log/log.h"
#include "common/protocol/ids.h"
#include "common/protocol/transport_kind.h"
#include "proto/parse.h"

namespace hongyan::iplist {

namespace {

constexpr Milliseconds kTick{250};

constexpr const char* kRequestsName = "hongyan_iplist_requests_total";
constexpr const char* kRequestsHelp = "Questions of clients for gates, by outcome.";

Status check_text(std::string_view name, std::string_view text, std::size_t limit) {
  if (!protocol::is_id_or_empty(text, limit)) {
    return fail(Code::kBadRequest, std::string(name) + " is too long or holds a NUL");
  }
  return {};
}

metrics::HealthCheck at_least_one(const std::atomic<std::size_t>& count, const char* none) {
  if (count.load(std::memory_order_relaxed) > 0) return {};
  return {.state = metrics::HealthState::kDegraded, .text = none};
}

}  // namespace

Result<GateQuery> parse_query(const http::Request& request) {
  GateQuery query;
  query.app_id = request.query_value("app_id").value_or("");
  if (query.app_id.empty()) query.app_id = protocol::kDefaultApp;
  query.spread = request.query_value("uid").value_or("");
  query.transport = request.query_value("transport").value_or("tcp");
  if (auto checked = check_text("app_id", query.app_id, protocol::kMaxAppId); !checked)
    return std::unexpected(checked.error());
  if (auto checked = check_text("uid", query.spread, protocol::kMaxUid); !checked)
    return std::unexpected(checked.error());
  if (!protocol::parse_transport(query.transport))
    return fail(Code::kBadRequest, "transport is one of tcp, tls, ws, wss");
  if (const auto text = request.query_value("limit")) {
    const auto limit = parse_number<std::size_t>(*text);
    if (!limit || *limit < 1 || *limit > Directory::kMaxLimit) {
      return fail(Code::kBadRequest, "limit is a number from 1 to 20");
    }
    query.limit = *limit;
  }
  return query;
}

GatesApi::GatesApi(std::uint32_t ttl_seconds, metrics::Registry& metrics, metrics::Health& health)
    : ttl_seconds_(ttl_seconds),
      health_(health),
      gates_gauge_(
          metrics.gauge("hongyan_iplist_live_nodes", "Nodes with a recent heartbeat.", {{"role", "gate"}})),
      logic_gauge_(
          metrics.gauge("hongyan_iplist_live_nodes", "Nodes with a recent heartbeat.", {{"role", "logic"}})),
      heartbeats_(metrics.counter("hongyan_iplist_heartbeats_total", "Heartbeats taken.")),
      bad_heartbeats_(metrics.counter("hongyan_iplist_bad_heartbeats_total", "Heartbeats refused.")),
      answered_(metrics.counter(kRequestsName, kRequestsHelp, {{"outcome", "ok"}})),
      unanswered_(metrics.counter(kRequestsName, kRequestsHelp, {{"outcome", "no_gate"}})),
      bad_requests_(metrics.counter(kRequestsName, kRequestsHelp, {{"outcome", "bad_request"}})),
      directory_(SteadyClock::now()) {
  health_.add("gates", [this] { return at_least_one(live_gates_, "no gate is known"); });
  health_.add("logic", [this] { return at_least_one(live_logic_, "no logic node is known"); });
}

GatesApi::~GatesApi() {
  health_.remove("gates");
  health_.remove("logic");
}

http::Router GatesApi::router() {
  http::Router router;
  router.add_simple(http::Method::kGet, "/v1/gates",
                    [this](const http::Request& request) { return gates(request); });
  return router;
}

http::Response GatesApi::gates(const http::Request& request) {
  http::Response response;
  auto query = parse_query(request);
  if (!query) {
    bad_requests_.Increment();
    response = http::error_response(query.error());
  } else {
    if (query->spread.empty()) query->spread = std::to_string(++anonymous_);
    const auto chosen = directory_.choose(*query, SteadyClock::now());
    if (chosen.empty()) {
      unanswered_.Increment();
      response = http::error_response(Error{Code::kUnavailable, "no gate is known for this", kRetryLaterMs});
    } else {
      answered_.Increment();
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const auto& gate : chosen) {
        list.push_back({{"host", gate.host}, {"port", gate.port}, {"transport", gate.transport}});
      }
      const nlohmann::ordered_json body = {{"gates", list}, {"ttl_seconds", ttl_seconds_}};
      response.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    }
  }
  // Pages of any origin may ask; the answer holds nothing of the asker's.
  response.headers.emplace_back("Access-Control-Allow-Origin", "*");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

net::Awaitable<> GatesApi::tick(GatesApi* self) {
  for (;;) {
    for (const auto& name : self->directory_.expire(SteadyClock::now())) {
      log::warn("iplist", "node dead node={}", log::quoted(name));
    }
    self->update_counts();
    co_await net::sleep_for(kTick);
  }
}

void GatesApi::update_counts() {
  const auto now = SteadyClock::now();
  live_gates_ = directory_.live_gates(now);
  live_logic_ = directory_.live_logic_nodes(now);
  gates_gauge_.Set(static_cast<double>(live_gates_));
  logic_gauge_.Set(static_cast<double>(live_logic_));
}

void GatesApi::on_link_up(const link::LinkPtr& link) {
  const auto role = link->peer().role;
  if (role != link::ROLE_GATE && role != link::ROLE_LOGIC) refuse(link, "neither a gate nor a logic node");
}

void GatesApi::on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) {
  for (const auto& packet : packets) {
    if (packet.command == link::LINK_COMMAND_HEARTBEAT) on_heartbeat(link, packet);
  }
}

void GatesApi::on_heartbeat(const link::LinkPtr& link, const link::LinkPacket& packet) {
  const auto& peer = link->peer();
  link::Heartbeat heartbeat;
  if (!parse(heartbeat, packet.envelope)) {
    return refuse(link, "unreadable heartbeat");
  }
  // Nobody speaks for another node.
  if (heartbeat.role() != peer.role || heartbeat.node_id() != peer.node_id ||
      heartbeat.boot_id() != peer.boot_id) {
    return refuse(link, "a heartbeat for another node");
  }
  const auto now = SteadyClock::now();
  const auto taken = directory_.heartbeat(link.get(), heartbeat, now);
  if (!taken) return refuse(link, taken.error().message);
  heartbeats_.Increment();
  if (*taken) {
    log::info("iplist", "node alive node={} boot={:016x} peer={}", log::quoted(peer.node_id), peer.boot_id,
              peer.address);
    update_counts();
  }
  static_cast<void>(link->send(link::LINK_COMMAND_HEARTBEAT_ANSWER, packet.seq, 0, directory_.answer(now)));
}

void GatesApi::refuse(const link::LinkPtr& link, std::string_view reason) {
  bad_heartbeats_.Increment();
  link->close(reason);
}

void GatesApi::on_link_down(const link::LinkPtr& link) {
  directory_.link_down(link.get(), SteadyClock::now());
}

}  // namespace hongyan::iplist
