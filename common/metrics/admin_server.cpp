#include "common/metrics/admin_server.h"

#include <nlohmann/json.hpp>

#include "common/log/log.h"

namespace hongyan::metrics {

namespace {

constexpr Milliseconds kDrain{100};

http::Response log_level() {
  http::Response response;
  response.body = nlohmann::json{{"level", log::to_string(log::level())}}.dump();
  return response;
}

http::Response set_log_level(const http::Request& request) {
  std::string name = request.body;
  const auto json = nlohmann::json::parse(request.body, nullptr, false);
  if (json.is_string()) name = json.get<std::string>();
  if (json.is_object() && json.contains("level") && json["level"].is_string())
    name = json["level"].get<std::string>();
  while (name.ends_with('\n') || name.ends_with('\r')) name.pop_back();
  log::Level level{};
  if (!log::parse_level(name, level)) {
    return http::error_response(400, "BAD_REQUEST",
                                "the level is one of trace, debug, info, warn, error, off");
  }
  log::set_level(level);
  log::warn("admin", "log level set level={} peer={}", log::to_string(level), request.peer);
  return log_level();
}

http::Response metrics_text(Registry& registry) {
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = registry.text();
  return response;
}

http::Response health_report(const Health& health) {
  const auto report = health.report();
  http::Response response;
  response.status = report.state == HealthState::kFailing ? 503 : 200;
  response.body = to_json(report);
  return response;
}

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(const std::string& host, std::uint16_t port,
                                                        Registry& registry, Health& health) {
  using http::Method;
  http::Router router;
  router.add_simple(Method::kGet, "/metrics",
                    [&registry](const http::Request&) { return metrics_text(registry); });
  router.add_simple(Method::kGet, "/healthz",
                    [&health](const http::Request&) { return health_report(health); });
  router.add_simple(Method::kGet, "/log-level", [](const http::Request&) { return log_level(); });
  router.add_simple(Method::kPut, "/log-level",
                    [](const http::Request& request) { return set_log_level(request); });
  const http::Limits limits{.max_body_bytes = 4096, .max_connections = 64};
  std::unique_ptr<AdminServer> admin(new AdminServer);
  auto server = http::Server::start(admin->loop_, host, port, std::move(router), limits);
  if (!server) return std::unexpected(server.error());
  admin->server_ = std::move(*server);
  admin->loop_.start();
  return admin;
}

AdminServer::~AdminServer() {
  if (server_) server_->stop_and_wait(kDrain);
  loop_.stop();
  loop_.join();
}

}  // namespace hongyan::metrics
