#include "iplist/app.h"

#include "common/base/random.h"
#include "common/http/static_files.h"
#include "common/log/log.h"

namespace hongyan::iplist {

namespace {
constexpr Milliseconds kDrain{300};

// The page runs its own scripts only, and shows whatever people write: what gets past it must find nothing to
// do. It connects to where it came from, and to gates, which may be anywhere.
const http::Fields kPageHeaders = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; "
     "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"}};
}  // namespace

App::App(const IplistConfig& config, daemon::Context& context)
    : identity_{.role = link::ROLE_IPLIST,
                .node_id = config.name,
                .boot_id = random_id(),
                .secret = config.common.cluster.secret},
      gates_api_(config.ttl_seconds, context.metrics, context.health),
      demo_(config.demo),
      certificate_("iplist", config.certificate) {}

Result<std::unique_ptr<daemon::Daemon>> App::start(const IplistConfig& config, daemon::Context& context) {
  std::unique_ptr<App> app(new App(config, context));
  if (auto opened = app->open(config, context); !opened) return std::unexpected(opened.error());
  log::info("iplist", "listening clients={}:{} heartbeats={}:{}", config.clients.host, app->clients_port(),
            config.heartbeats.host, app->heartbeats_port());
  app->loop_.spawn("iplist tick", GatesApi::tick(&app->gates_api_));
  app->loop_.start();
  return app;
}

Status App::open(const IplistConfig& config, daemon::Context& context) {
  if (auto loaded = certificate_.load(); !loaded) return loaded;
  certificate_.watch(context.metrics, context.health);
  auto links = link::LinkServer::start({&loop_}, config.heartbeats.host, config.heartbeats.port, identity_,
                                       gates_api_, config.links);
  if (!links) return fail(links.error().code, "listen.heartbeats: " + links.error().message);
  links_ = std::move(*links);
  const http::Limits limits{.max_header_bytes = 8 << 10,
                            .max_body_bytes = 4 << 10,
                            .max_connections = config.max_connections,
                            .max_per_address = config.max_connections_per_address,
                            .exempt = net::parse_networks(config.exempt)};
  http::Router router = gates_api_.router();
  if (!config.web_root.empty()) {
    const auto files = http::add_static_files(
        router, {.folder = config.web_root, .max_bytes = config.web_max_bytes, .headers = kPageHeaders});
    if (!files) return fail(files.error().code, "web.root: " + files.error().message);
    log::info("iplist", "page root={} files={}", log::quoted(config.web_root), *files);
  }
  if (config.common.dev && !config.demo.token_secret.empty()) {
    demo_.add_routes(router);
    log::warn("iplist", "demo tokens for anybody app={}", log::quoted(config.demo.app_id));
  }
  auto http = http::Server::start(loop_, config.clients.host, config.clients.port, std::move(router), limits,
                                  certificate_.context());
  if (!http) return fail(http.error().code, "listen.clients: " + http.error().message);
  http_ = std::move(*http);
  return {};
}

void App::reload() {
  certificate_.reload([this](const auto& tls) { http_->set_tls(tls); });
}

App::~App() { stop(); }

void App::stop() {
  if (std::exchange(stopped_, true)) return;
  if (http_ && links_) {
    links_->stop();
    http_->stop_and_wait(kDrain);
  }
  loop_.stop();
  loop_.join();
}

}  // namespace hongyan::iplist
