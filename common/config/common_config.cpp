#include "common/config/common_config.h"

#include <algorithm>

#include "common/config/schema.h"

namespace hongyan::config {

log::Level LogConfig::parsed() const noexcept {
  log::Level parsed = log::Level::kInfo;
  static_cast<void>(log::parse_level(level, parsed));  // one_of() let nothing else in
  return parsed;
}

void bind_common(Schema& schema, CommonConfig& config, const Endpoint& metrics_listen) {
  schema.value("dev", config.dev,
               "For development on one machine: accepts the secrets of the samples. Never in production.");
  schema.refuse_weak_secrets_unless(config.dev);

  schema.section("log", "Log lines go to standard error.");
  schema.value("log.level", config.log.level, "Least level that is written; can be changed at run time.")
      .one_of({"trace", "debug", "info", "warn", "error", "off"});

  schema.section("audit",
                 "Who logged in or was refused, and what the server API changed: one JSON object a line.");
  schema.value("audit.file", config.audit.file, "Its file, in a folder that is there. Empty: no audit log.");
  schema
      .bytes("audit.max_file_bytes", config.audit.max_file_bytes,
             "A file that would grow beyond is renamed to FILE.1, that one to FILE.2, and so on.")
      .range(4 << 10, std::int64_t{1} << 40);
  schema.value("audit.max_files", config.audit.max_files, "So many of those are kept.").range(1, 10'000);

  schema.section("cluster", "How the daemons of one cluster know each other.");
  schema
      .secret("cluster.secret", config.cluster.secret,
              "Proves on links between daemons that both belong to this cluster. The same everywhere.")
      .required()
      .length(16, 1024);
  schema.list("cluster.iplists", config.cluster.iplists,
              "Heartbeat endpoints of all iplist daemons. Empty: logic_nodes is the list of logic nodes.");
  schema.list("cluster.logic_nodes", config.cluster.logic_nodes,
              "Link endpoints of all logic nodes, for clusters without iplist.");

  config.metrics.listen = metrics_listen;
  schema.section(
      "metrics",
      "Metrics, health and the log level over HTTP. Not for the public: keep it on a private address.");
  schema.value("metrics.listen", config.metrics.listen,
               "Where /metrics, /healthz and /log-level are served. Empty: nowhere.");
}

std::string unreachable_advertise(const Endpoint& listen, const std::string& advertise,
                                  const ClusterConfig& cluster) {
  const bool everywhere = listen.host.empty() || listen.host == "0.0.0.0" || listen.host == "::";
  if (!everywhere || !advertise.empty() || cluster.iplists.empty()) return {};
  return "must name this host, because " + format_endpoint(listen) + " is no address to connect to";
}

Result<Endpoint> parse_advertised(std::string_view text) {
  const auto colons = std::ranges::count(text, ':');
  const bool bare = !text.starts_with('[') && colons != 1;  // a name, or an IPv6 address
  if (bare) return Endpoint{.host = std::string(text), .port = 0};
  auto endpoint = parse_endpoint(text);
  if (endpoint && (text.starts_with(':') || endpoint->port == 0))
    return fail(Code::kBadRequest, R"(write "host" or "host:port")");
  return endpoint;
}

}  // namespace hongyan::config
