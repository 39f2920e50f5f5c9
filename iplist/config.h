// iplist's configuration. Every key's text stands in config.cpp, its default here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/endpoint.h"
#include "common/config/common_config.h"
#include "common/daemon/certificate.h"
#include "common/link/link_server.h"
#include "iplist/demo.h"

namespace hongyan::iplist {

struct IplistConfig {
  config::CommonConfig common;

  // [iplist]
  std::string name = "iplist-1";
  std::uint32_t ttl_seconds = 60;
  std::uint32_t max_connections = 4096;
  std::uint32_t max_connections_per_address = 1024;
  std::vector<std::string> exempt;  // networks

  // [listen]
  Endpoint clients{.host = "127.0.0.1", .port = 7200};
  Endpoint heartbeats{.host = "127.0.0.1", .port = 7201};
  link::LinkServerOptions links;

  // [tls]
  daemon::CertificateFiles certificate;  // of listen.clients; not set: plain HTTP

  // [web]
  std::string web_root;  // empty: no page
  std::size_t web_max_bytes = 32 << 20;

  // [demo]
  DemoConfig demo;
};

void bind(config::Schema& schema, IplistConfig& config);

}  // namespace hongyan::iplist
