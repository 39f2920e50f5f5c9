#include "gate/app/gate_metrics.h"

#include <functional>

#include "proto/client.pb.h"

namespace hongyan::gate {

namespace {

using Read = std::function<std::uint64_t(const Counters&)>;
using GateLoops = std::vector<std::unique_ptr<GateLoop>>;

std::uint64_t sum(const GateLoops& loops, const Read& read) {
  std::uint64_t total = 0;
  for (const auto& loop : loops) total += read(loop->counters());
  return total;
}

void add_counter(metrics::Registry& registry, const GateLoops& loops, const std::string& name,
                 const std::string& help, const metrics::Labels& labels, Read read) {
  auto& counter = registry.counter(name, help, labels);
  registry.before_collect([&counter, &loops, read = std::move(read)] {
    const double grown = static_cast<double>(sum(loops, read)) - counter.Value();
    if (grown > 0) counter.Increment(grown);
  });
}

void add_gauge(metrics::Registry& registry, const GateLoops& loops, const std::string& name,
               const std::string& help, Read read) {
  auto& gauge = registry.gauge(name, help);
  registry.before_collect(
      [&gauge, &loops, read = std::move(read)] { gauge.Set(static_cast<double>(sum(loops, read))); });
}

std::string command_label(std::size_t cmd_id) {
  std::string name = client::Command_Name(static_cast<client::Command>(cmd_id)).substr(8);  // COMMAND_
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return cmd_id == 0 ? "other" : name;
}

void add_commands(metrics::Registry& registry, const GateLoops& loops) {
  for (std::size_t cmd_id = 0; cmd_id < Counters::kCommands; ++cmd_id) {
    if (!client::Command_IsValid(static_cast<int>(cmd_id))) continue;
    const metrics::Labels labels = {{"command", command_label(cmd_id)}};
    add_counter(registry, loops, "hongyan_gate_packets_in_total", "Packets from clients.", labels,
                [cmd_id](const Counters& c) { return c.packets_in[cmd_id].get(); });
    add_counter(registry, loops, "hongyan_gate_packets_out_total", "Packets to clients.", labels,
                [cmd_id](const Counters& c) { return c.packets_out[cmd_id].get(); });
  }
}

}  // namespace

void add_gate_metrics(metrics::Registry& registry, const GateLoops& loops) {
  const auto counter = [&](const char* name, const char* help, Read read) {
    add_counter(registry, loops, name, help, {}, std::move(read));
  };
  const auto gauge = [&](const char* name, const char* help, Read read) {
    add_gauge(registry, loops, name, help, std::move(read));
  };
  counter("hongyan_gate_accepted_total", "Connections accepted.",
          [](const Counters& c) { return c.accepted.get(); });
  counter("hongyan_gate_logins_total", "Sessions that logged in.",
          [](const Counters& c) { return c.logins.get(); });
  counter("hongyan_gate_bytes_in_total", "Bytes from clients.",
          [](const Counters& c) { return c.bytes_in.get(); });
  counter("hongyan_gate_bytes_out_total", "Bytes to clients.",
          [](const Counters& c) { return c.bytes_out.get(); });
  counter("hongyan_gate_slow_consumers_total", "Sessions closed because their output queue was full.",
          [](const Counters& c) { return c.slow_consumers.get(); });
  counter("hongyan_gate_pushes_gone_total", "Pushes for a connection that was gone.",
          [](const Counters& c) { return c.pushes_gone.get(); });
  counter("hongyan_gate_acks_dropped_total", "Acknowledgements that no owner could take.",
          [](const Counters& c) { return c.acks_dropped.get(); });
  counter("hongyan_gate_resent_total", "Requests forwarded again, to another owner.",
          [](const Counters& c) { return c.resent.get(); });
  add_commands(registry, loops);
  for (const auto& [refusal, name] : kRefusals) {
    add_counter(registry, loops, "hongyan_gate_refusals_total", "What was refused, by reason.",
                {{"reason", std::string(name)}},
                [i = static_cast<std::size_t>(refusal)](const Counters& c) { return c.refusals[i].get(); });
  }
  gauge("hongyan_gate_connections", "Open connections.",
        [](const Counters& c) { return c.connections.get(); });
  gauge("hongyan_gate_sessions", "Connections that are logged in.",
        [](const Counters& c) { return c.logged_in.get(); });
  gauge("hongyan_gate_requests_in_flight", "Requests of clients that are not answered yet.",
        [](const Counters& c) { return c.in_flight.get(); });
  gauge("hongyan_gate_held_requests", "Of these, those that no owner has been sent.",
        [](const Counters& c) { return c.held_requests.get(); });
  gauge("hongyan_gate_held_bytes", "Memory of the unanswered requests.",
        [](const Counters& c) { return c.held_bytes.get(); });
  gauge("hongyan_gate_links", "Links to logic nodes that are up, over all workers.",
        [](const Counters& c) { return c.links.get(); });
}

}  // namespace hongyan::gate
