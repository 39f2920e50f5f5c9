#include "tools/bench/report.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

namespace hongyan::bench {

namespace {

double to_ms(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }
double to_mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

double per_message_us(const Report& report, double cpu_seconds) {
  return report.messages == 0 ? 0 : cpu_seconds * 1e6 / static_cast<double>(report.messages);
}

double per_second(const Report& report) {
  return report.seconds <= 0 ? 0 : static_cast<double>(report.messages) / report.seconds;
}

// "mysql-2" counts as "mysql".
std::string kind_of(const std::string& name) { return name.substr(0, name.find('-')); }

struct Kind {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  int count = 0;
};

std::map<std::string, Kind> by_kind(const Report& report) {
  std::map<std::string, Kind> kinds;
  for (const auto& process : report.processes) {
    Kind& kind = kinds[kind_of(process.name)];
    kind.cpu_seconds += process.cpu_seconds;
    kind.resident_bytes += process.resident_bytes;
    ++kind.count;
  }
  return kinds;
}

double server_cpu(const Report& report) {
  double sum = 0;
  for (const auto& process : report.processes) sum += process.cpu_seconds;
  return sum;
}

std::string line(std::string_view name, const Histogram& times) {
  return fmt::format("{:<10} p50 {:8.2f} ms   p99 {:8.2f} ms   max {:8.2f} ms\n", name,
                     to_ms(times.quantile(0.5)), to_ms(times.quantile(0.99)), to_ms(times.max()));
}

nlohmann::ordered_json times_json(const Histogram& times) {
  return {
      {"p50", to_ms(times.quantile(0.5))}, {"p99", to_ms(times.quantile(0.99))}, {"max", to_ms(times.max())}};
}

}  // namespace

std::string to_table(const Report& report) {
  std::string out =
      fmt::format("c2c: {} pairs, window {}, {} B, {:.1f} s: {} messages, {:.0f} msg/s\n\n", report.pairs,
                  report.window, report.size, report.seconds, report.messages, per_second(report));
  out += line("ack", report.ack_times);
  out += line("delivery", report.delivery_times);
  out += fmt::format("\n{:<10} {:>14} {:>8} {:>12}\n", "process", "us a message", "cores", "memory MiB");
  const auto row = [&](const std::string& name, double cpu, std::uint64_t bytes) {
    out += fmt::format("{:<10} {:>14.1f} {:>8.2f} {:>12.1f}\n", name, per_message_us(report, cpu),
                       cpu / report.seconds, to_mib(bytes));
  };
  std::uint64_t bytes = 0;
  for (const auto& [name, kind] : by_kind(report)) {
    row(kind.count > 1 ? fmt::format("{} x{}", name, kind.count) : name, kind.cpu_seconds,
        kind.resident_bytes);
    bytes += kind.resident_bytes;
  }
  row("servers", server_cpu(report), bytes);
  out += fmt::format("{:<10} {:>14.1f} {:>8.2f}\n", "(this)", per_message_us(report, report.own_cpu_seconds),
                     report.own_cpu_seconds / report.seconds);
  const PairTotals& t = report.totals;
  out += fmt::format(
      "\nchecked {} sent: {} acknowledged, {} delivered, {} lost, {} duplicates, {} changed; {} refused and "
      "sent again,"
      " {} pushed again, {} pulls\n",
      t.sent, t.acknowledged, t.delivered, t.lost, t.duplicates, t.changed, report.refused, t.redelivered,
      t.pulls);
  return out;
}

std::string to_json(const Report& report) {
  nlohmann::ordered_json servers = nlohmann::ordered_json::object();
  nlohmann::ordered_json memory = nlohmann::ordered_json::object();
  for (const auto& [name, kind] : by_kind(report)) {
    servers[name] = per_message_us(report, kind.cpu_seconds);
    memory[name] = to_mib(kind.resident_bytes);
  }
  const PairTotals& t = report.totals;
  const nlohmann::ordered_json json = {
      {"bench", "c2c"},
      {"pairs", report.pairs},
      {"window", report.window},
      {"size", report.size},
      {"seconds", report.seconds},
      {"messages", report.messages},
      {"msgs_per_s", per_second(report)},
      {"server_us_per_msg", per_message_us(report, server_cpu(report))},
      {"us_per_msg", servers},
      {"generator_us_per_msg", per_message_us(report, report.own_cpu_seconds)},
      {"memory_mib", memory},
      {"ack_ms", times_json(report.ack_times)},
      {"delivery_ms", times_json(report.delivery_times)},
      {"sent", t.sent},
      {"acknowledged", t.acknowledged},
      {"delivered", t.delivered},
      {"lost", t.lost},
      {"duplicates", t.duplicates},
      {"changed", t.changed},
      {"refused", report.refused},
      {"pushed_again", t.redelivered},
      {"pulls", t.pulls},
      {"clean", report.clean()}};
  return json.dump() + "\n";
}

}  // namespace hongyan::bench
