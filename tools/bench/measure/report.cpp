#include "tools/bench/measure/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace hongyan::bench {

namespace {

using Json = nlohmann::ordered_json;

double to_ms(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }
double to_mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

double us_each(const Report& report, double cpu_seconds) {
  return report.operations == 0 ? 0 : cpu_seconds * 1e6 / static_cast<double>(report.operations);
}

double cores(const Report& report, double cpu_seconds) {
  return report.cost.seconds <= 0 ? 0 : cpu_seconds / report.cost.seconds;
}

// "mysql-2" counts as "mysql".
std::string kind_of(const std::string& name) { return name.substr(0, name.find('-')); }

struct Kind {
  double cpu_seconds = 0;
  std::uint64_t memory = 0;
  int count = 0;
};

std::map<std::string, Kind> by_kind(const Report& report) {
  std::map<std::string, Kind> kinds;
  for (const auto& process : report.cost.processes) {
    Kind& kind = kinds[kind_of(process.name)];
    kind.cpu_seconds += process.cpu_seconds;
    kind.memory += process.memory_after;
    ++kind.count;
  }
  return kinds;
}

std::string text_of(const Report::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{:.6g}", *number);
  return fmt::format("{}", std::get<std::int64_t>(value));
}

std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

std::string list(const Report::Values& values) {
  std::string out;
  for (const auto& [name, value] : values) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", spaced(name), text_of(value));
  }
  return out;
}

std::string cost_table(const Report& report) {
  std::string out = fmt::format("\n{:<10} {:>14} {:>8} {:>12}\n", "process", "us per " + report.unit, "cores",
                                "memory MiB");
  const auto row = [&](const std::string& name, double cpu, std::uint64_t bytes) {
    out += fmt::format("{:<10} {:>14.1f} {:>8.2f} {:>12.1f}\n", name, us_each(report, cpu),
                       cores(report, cpu), to_mib(bytes));
  };
  std::uint64_t bytes = 0;
  for (const auto& [name, kind] : by_kind(report)) {
    row(kind.count > 1 ? fmt::format("{} x{}", name, kind.count) : name, kind.cpu_seconds, kind.memory);
    bytes += kind.memory;
  }
  const Cost& cost = report.cost;
  row("servers", cost.server_cpu_seconds(), bytes);
  out +=
      fmt::format("{:<10} {:>14.1f} {:>8.2f}   busiest thread {:.0f} % of a core, {:.0f} % waiting for one\n",
                  "generator", us_each(report, cost.own_cpu_seconds), cores(report, cost.own_cpu_seconds),
                  100 * cost.busiest_thread, 100 * cost.waiting_thread);
  return out;
}

Json json_of(const Report::Value& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

Json times_json(const Histogram& times) {
  return {{"p50", to_ms(times.quantile(0.5))},
          {"p99", to_ms(times.quantile(0.99))},
          {"max", to_ms(times.max())},
          {"count", times.count()}};
}

void put_cost(Json& json, const Report& report) {
  const Cost& cost = report.cost;
  Json each = Json::object();
  Json memory = Json::object();
  for (const auto& [name, kind] : by_kind(report)) {
    each[name] = us_each(report, kind.cpu_seconds);
    memory[name] = to_mib(kind.memory);
  }
  Json processes = Json::array();
  for (const auto& process : cost.processes) {
    processes.push_back({{"name", process.name},
                         {"pid", process.pid},
                         {"us_per_" + report.unit, us_each(report, process.cpu_seconds)},
                         {"cores", cores(report, process.cpu_seconds)},
                         {"memory_mib", to_mib(process.memory_after)},
                         {"memory_before_mib", to_mib(process.memory_before)}});
  }
  json["server_us_per_" + report.unit] = us_each(report, cost.server_cpu_seconds());
  json["us_per_" + report.unit] = std::move(each);
  json["memory_mib"] = std::move(memory);
  json["processes"] = std::move(processes);
  json["generator_us_per_" + report.unit] = us_each(report, cost.own_cpu_seconds);
  json["generator"] = {{"cores", cores(report, cost.own_cpu_seconds)},
                       {"busiest_thread", cost.busiest_thread},
                       {"waiting_thread", cost.waiting_thread},
                       {"was_the_limit", cost.generator_was_the_limit()}};
}

std::vector<std::string> warnings_of(const Report& report) {
  auto warnings = report.warnings;
  if (report.cost.generator_was_the_limit()) {
    warnings.push_back(
        fmt::format("the generator was the limit: its busiest thread used {:.0f} % of a core (--loops)",
                    100 * report.cost.busiest_thread));
  }
  return warnings;
}

}  // namespace

void Report::add_faults(const Faults& more) {
  const auto add = [this](std::string name, std::uint64_t count) {
    faults.emplace_back(std::move(name), static_cast<std::int64_t>(count));
  };
  add("lost", more.lost);
  add("unanswered", more.unanswered);
  add("duplicates", more.duplicates);
  add("changed", more.changed);
  add("out_of_order", more.out_of_order);
  add("holes", more.holes);
}

bool Report::clean() const noexcept {
  return operations > 0 && std::ranges::all_of(faults, [](const auto& fault) {
           return fault.second == Value(std::int64_t{0});
         });
}

double Report::per_second() const noexcept {
  return cost.seconds <= 0 ? 0 : static_cast<double>(operations) / cost.seconds;
}

std::string to_table(const Report& report) {
  std::string out =
      fmt::format("{}: {}\n{} {}s in {:.1f} s: {:.0f} {}/s\n\n", report.bench, list(report.parameters),
                  report.operations, report.unit, report.cost.seconds, report.per_second(), report.unit);
  for (const auto& [name, times] : report.times) {
    out += fmt::format("{:<10} p50 {:8.2f} ms   p99 {:8.2f} ms   max {:8.2f} ms\n", name,
                       to_ms(times.quantile(0.5)), to_ms(times.quantile(0.99)), to_ms(times.max()));
  }
  out += cost_table(report);
  if (!report.results.empty()) out += "\n";
  for (const auto& [name, value] : report.results) {
    out += fmt::format("{:<40} {:>16}\n", spaced(name), text_of(value));
  }
  if (!report.faults.empty()) out += "\nchecked: " + list(report.faults) + "\n";
  for (const auto& warning : warnings_of(report)) out += "warning: " + warning + "\n";
  return out;
}

std::string to_json(const Report& report) {
  Json json = {{"bench", report.bench}};
  for (const auto& [name, value] : report.parameters) json[name] = json_of(value);
  json["measured_seconds"] = report.cost.seconds;
  json[report.unit + "s"] = report.operations;
  json[report.unit + "s_per_s"] = report.per_second();
  for (const auto& [name, times] : report.times) json[name + "_ms"] = times_json(times);
  put_cost(json, report);
  for (const auto& [name, value] : report.results) json[name] = json_of(value);
  for (const auto& [name, value] : report.faults) json[name] = json_of(value);
  json["warnings"] = warnings_of(report);
  json["clean"] = report.clean();
  return json.dump() + "\n";
}

}  // namespace hongyan::bench
