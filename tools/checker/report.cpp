#include "tools/checker/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace hongyan::checker {

namespace {

using Figures = std::vector<std::pair<std::string, std::uint64_t>>;

// All must be 0.
Figures counts_of(const RunResult& result) {
  Figures out;
  for (std::size_t i = 0; i < kViolations; ++i)
    out.emplace_back(name_of(static_cast<Violation>(i)), result.verdict.counts[i]);
  out.emplace_back("offline", result.offline);
  out.emplace_back("unserved", result.unserved);
  out.emplace_back("unpulled", result.unpulled);
  out.emplace_back("unread", result.unread);
  out.emplace_back("races_unsettled", result.races.unsettled);
  out.emplace_back("silent", result.answers_due ? result.prompt.silent : 0);
  out.emplace_back("late_resumptions", result.prompt.late_resumptions);
  out.emplace_back("late_returns", result.late_returns);
  out.emplace_back("newcomer_holes", result.newcomers.holes);
  out.emplace_back("unrepaired", result.unrepaired);
  return out;
}

Figures figures_of(const RunResult& result) {
  Figures out = {{"attempts", result.verdict.attempts},
                 {"acknowledged", result.verdict.acknowledged},
                 {"unknown", result.verdict.unknown},
                 {"refused", result.verdict.refused},
                 {"longest_stall_ms", result.longest_stall / 1000},
                 {"back_after_ms", result.back_after / 1000},
                 {"connections", result.connections.connections},
                 {"cut", result.connections.cut},
                 {"half_open", result.connections.half_open},
                 {"sleepers_closed", result.sleepers_closed},
                 {"races", result.races.rounds},
                 {"races_together", result.races.together},
                 {"groups", result.verdict.groups},
                 {"large_groups", result.verdict.large_groups},
                 {"group_messages", result.group_messages},
                 {"group_changes", result.group_changes},
                 {"newcomer_logins", result.newcomers.logins},
                 {"newcomer_pushes", result.newcomers.pushed},
                 {"slowest_return_ms", result.slowest_return / 1000},
                 {"longest_lag_ms", result.longest_lag / 1000},
                 {"slowest_answer_ms", result.prompt.slowest_answer / 1000},
                 {"slowest_resumption_ms", result.prompt.slowest_resumption / 1000}};
  const auto add = [&](const std::string& name, const AnswerTimes& times) {
    out.emplace_back(name, times.count);
    out.emplace_back(name + "_p50_us", times.p50);
    out.emplace_back(name + "_p99_us", times.p99);
  };
  add("calm", result.prompt.calm);
  add("concerned", result.prompt.concerned);
  add("bystanders", result.prompt.bystanders);
  for (const auto& [name, count] : result.strikes) out.emplace_back(name, count);
  return out;
}

}  // namespace

std::string to_table(const RunOptions& options, const RunResult& result) {
  std::string out = fmt::format("seed {}\n", options.seed);
  for (const auto& [name, count] : figures_of(result)) out += fmt::format("  {:<22} {:>9}\n", name, count);
  out += "must be 0:\n";
  for (const auto& [name, count] : counts_of(result))
    out += fmt::format("  {:<22} {:>9}{}\n", name, count, count == 0 ? "" : "  !");
  for (const auto& finding : result.verdict.findings)
    out += fmt::format("{}: {}\n", name_of(finding.violation), finding.text);
  out += result.clean() ? "clean\n" : "NOT CLEAN\n";
  return out;
}

std::string to_json(const RunOptions& options, const RunResult& result) {
  nlohmann::ordered_json json;
  json["seed"] = options.seed;
  json["users"] = options.users;
  json["seconds"] = options.seconds;
  json["rate"] = options.rate;
  json["faults"] = nlohmann::json::array();
  for (const Fault fault : options.faults) json["faults"].push_back(name_of(fault));
  for (const auto& [name, count] : figures_of(result)) json["figures"][name] = count;
  for (const auto& [name, count] : counts_of(result)) json["counts"][name] = count;
  json["findings"] = nlohmann::json::array();
  for (const auto& finding : result.verdict.findings)
    json["findings"].push_back({{"violation", name_of(finding.violation)}, {"text", finding.text}});
  json["clean"] = result.clean();
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace hongyan::checker
