#include "iplist/directory.h"

#include <xxhash.h>

#include <algorithm>
#include <tuple>

#include "common/protocol/transport_kind.h"

namespace hongyan::iplist {

namespace {

constexpr int kMaxEndpoints = 16;
constexpr int kMaxApps = 1024;
constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxHost = 255;
constexpr std::uint32_t kLoadSteps = 20;
constexpr std::uint32_t kAssumedCapacity = 100'000;  // of a gate that names none

bool is_name(std::string_view text, std::size_t limit) noexcept {
  return !text.empty() && text.size() <= limit &&
         std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

Status check(const link::Heartbeat& heartbeat) {
  const bool gate = heartbeat.role() == link::ROLE_GATE;
  if (!gate && heartbeat.role() != link::ROLE_LOGIC)
    return fail(Code::kBadRequest, "neither a gate nor a logic node");
  if (!is_name(heartbeat.node_id(), kMaxName)) return fail(Code::kBadRequest, "bad node id");
  const int endpoints = heartbeat.endpoints_size();
  if (endpoints < 1 || endpoints > kMaxEndpoints) return fail(Code::kBadRequest, "bad number of endpoints");
  for (const auto& endpoint : heartbeat.endpoints()) {
    if (!is_name(endpoint.host(), kMaxHost)) return fail(Code::kBadRequest, "bad host");
    if (endpoint.port() < 1 || endpoint.port() > 65'535) return fail(Code::kBadRequest, "bad port");
    if (gate && !protocol::parse_transport(endpoint.transport()))
      return fail(Code::kBadRequest, "unknown transport");
  }
  if (heartbeat.apps_size() > kMaxApps) return fail(Code::kBadRequest, "too many apps");
  return {};
}

std::string key_of(const link::Heartbeat& heartbeat) {
  return std::to_string(static_cast<int>(heartbeat.role())) + "/" + heartbeat.node_id();
}

// Only spreads, decides nothing that lasts.
std::uint64_t spread_hash(std::string_view client, std::string_view gate) noexcept {
  return XXH3_64bits_withSeed(gate.data(), gate.size(), XXH3_64bits(client.data(), client.size()));
}

std::uint32_t capacity_of(const link::Heartbeat& gate) noexcept {
  return gate.max_connections() > 0 ? gate.max_connections() : kAssumedCapacity;
}

}  // namespace

Result<bool> Directory::heartbeat(LinkId link, const link::Heartbeat& heartbeat, SteadyTime now) {
  if (auto checked = check(heartbeat); !checked) return std::unexpected(checked.error());
  const std::string key = key_of(heartbeat);
  auto it = nodes_.find(key);
  if (it == nodes_.end() && nodes_.size() >= options_.max_nodes) {
    expire(now);
    if (nodes_.size() >= options_.max_nodes) return fail(Code::kUnavailable, "too many nodes");
  }
  const bool is_new =
      it == nodes_.end() || !alive(it->second, now) || it->second.last.boot_id() != heartbeat.boot_id();
  if (it == nodes_.end()) it = nodes_.emplace(key, Node{}).first;
  it->second = Node{.last = heartbeat, .heard = now, .link = link, .link_ended = {}};
  return is_new;
}

void Directory::link_down(LinkId link, SteadyTime now) {
  for (auto& [key, node] : nodes_) {
    if (node.link != link) continue;
    node.link = nullptr;
    node.link_ended = now;
  }
}

bool Directory::alive(const Node& node, SteadyTime now) const noexcept {
  if (now - node.heard >= options_.dead_after) return false;
  return node.link != nullptr || now - node.link_ended < options_.broken_after;
}

std::vector<std::string> Directory::expire(SteadyTime now) {
  std::vector<std::string> gone;
  std::erase_if(nodes_, [&](const auto& entry) {
    if (alive(entry.second, now)) return false;
    gone.push_back(entry.second.last.node_id());
    return true;
  });
  return gone;
}

link::HeartbeatAnswer Directory::answer(SteadyTime now) const {
  link::HeartbeatAnswer answer;
  answer.set_complete(now - started_ >= options_.complete_after);
  for (const auto& [key, node] : nodes_) {
    if (node.last.role() != link::ROLE_LOGIC || !alive(node, now)) continue;
    auto& out = *answer.add_logic_nodes();
    out.set_node_id(node.last.node_id());
    out.set_boot_id(node.last.boot_id());
    out.set_host(node.last.endpoints(0).host());
    out.set_port(node.last.endpoints(0).port());
  }
  return answer;
}

// What decides the order of a gate's endpoint among the others: smaller is better.
struct Directory::Candidate {
  bool for_all_apps;
  std::uint64_t load_step;
  std::uint64_t spread;
  GateAddress address;

  [[nodiscard]] auto rank() const noexcept { return std::tuple(for_all_apps, load_step, spread); }
};

std::vector<GateAddress> Directory::choose(const GateQuery& query, SteadyTime now) const {
  std::vector<Candidate> candidates;
  for (const auto& [key, node] : nodes_) {
    const link::Heartbeat& gate = node.last;
    if (gate.role() != link::ROLE_GATE || gate.draining() || node.link == nullptr || !alive(node, now))
      continue;
    if (gate.connections() >= capacity_of(gate)) continue;
    const bool for_all = gate.apps().empty();
    if (!for_all && std::ranges::find(gate.apps(), query.app_id) == gate.apps().end()) continue;
    for (const auto& endpoint : gate.endpoints()) {
      if (endpoint.transport() != query.transport) continue;
      candidates.push_back({.for_all_apps = for_all,
                            .load_step = std::uint64_t{gate.connections()} * kLoadSteps / capacity_of(gate),
                            .spread = spread_hash(query.spread, gate.node_id()),
                            .address = {.host = endpoint.host(),
                                        .port = static_cast<std::uint16_t>(endpoint.port()),
                                        .transport = endpoint.transport()}});
    }
  }
  std::ranges::sort(candidates, {}, &Candidate::rank);
  std::vector<GateAddress> chosen;
  for (auto& candidate : candidates) {
    if (chosen.size() >= std::min(query.limit, kMaxLimit)) break;
    chosen.push_back(std::move(candidate.address));
  }
  return chosen;
}

std::size_t Directory::count(link::Role role, SteadyTime now) const {
  return static_cast<std::size_t>(std::ranges::count_if(nodes_, [&](const auto& entry) {
    return entry.second.last.role() == role && alive(entry.second, now);
  }));
}

std::size_t Directory::live_gates(SteadyTime now) const { return count(link::ROLE_GATE, now); }

std::size_t Directory::live_logic_nodes(SteadyTime now) const { return count(link::ROLE_LOGIC, now); }

}  // namespace hongyan::iplist
