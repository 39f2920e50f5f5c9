#include "client/cpp/gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/http/client.h"

namespace hongyan::client {

namespace {
constexpr Milliseconds kIplistTimeout{3'000};
constexpr int kWanted = 5;
constexpr std::int64_t kMaxTtlSeconds = 3'600;
}  // namespace

GateList::GateList(GateOptions options, double start) : options_(std::move(options)), list_(options_.gates) {
  if (!list_.empty())
    next_ = static_cast<std::size_t>(start * static_cast<double>(list_.size())) % list_.size();
}

net::Awaitable<Result<Endpoint>> GateList::next() {
  if (!options_.iplist.empty() && (next_ >= list_.size() || SteadyClock::now() >= expires_)) {
    const Status status = co_await refresh();
    if (!status && list_.empty()) co_return std::unexpected(status.error());
    if (status) next_ = 0;
  }
  if (list_.empty()) co_return fail(Code::kUnavailable, "neither a gate nor an iplist is configured");
  if (next_ >= list_.size()) next_ = 0;
  co_return list_[next_++];
}

net::Awaitable<Status> GateList::refresh() {
  Failure last{.code = Code::kUnavailable, .message = {}};
  for (const std::string& base : options_.iplist) {
    const std::string url = fmt::format("{}/v1/gates?app_id={}&uid={}&transport={}&limit={}", base,
                                        http::percent_encode(options_.app_id),
                                        http::percent_encode(options_.uid), options_.transport, kWanted);
    const auto response = co_await http::get(url, kIplistTimeout);
    if (!response) {
      last = {.code = Code::kUnavailable, .message = base + ": " + response.error().message};
      continue;
    }
    if (response->status != 200) {
      last = {.code = Code::kUnavailable, .message = fmt::format("{} answered {}", base, response->status)};
      continue;
    }
    auto answer = parse_gates(response->body);
    if (!answer) {
      last = answer.error();
      continue;
    }
    list_ = std::move(answer->gates);
    expires_ = SteadyClock::now() + answer->ttl;
    co_return Status{};
  }
  co_return std::unexpected(last);
}

Result<GatesAnswer> parse_gates(std::string_view json) {
  const auto bad = [] { return fail(Code::kUnavailable, "the iplist's answer is not understood"); };
  const auto root = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("gates") || !root["gates"].is_array()) return bad();
  GatesAnswer answer;
  for (const auto& gate : root["gates"]) {
    if (!gate.is_object() || !gate.contains("host") || !gate["host"].is_string() || !gate.contains("port") ||
        !gate["port"].is_number_unsigned()) {
      return bad();
    }
    const auto port = gate["port"].get<std::uint64_t>();
    if (port == 0 || port > 65'535) return bad();
    answer.gates.push_back(
        {.host = gate["host"].get<std::string>(), .port = static_cast<std::uint16_t>(port)});
  }
  if (answer.gates.empty()) return fail(Code::kUnavailable, "the iplist knows no gate");
  if (root.contains("ttl_seconds") && root["ttl_seconds"].is_number_unsigned()) {
    const auto seconds = std::min<std::uint64_t>(root["ttl_seconds"].get<std::uint64_t>(), kMaxTtlSeconds);
    answer.ttl = Milliseconds(1'000 * static_cast<std::int64_t>(seconds));
  }
  return answer;
}

}  // namespace hongyan::client
