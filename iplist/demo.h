// Tokens for whoever asks: so that the page of a development cluster can be tried without an account system.
#pragma once

#include <cstdint>
#include <string>

#include "common/auth/token.h"
#include "common/http/router.h"

namespace hongyan::iplist {

struct DemoConfig {
  std::string app_id = "demo";
  std::string token_secret;  // HS256; empty: no demo
  std::uint32_t token_ttl_seconds = 86'400;
};

// POST /demo/token {"uid":"alice"} answers {"token":…,"app_id":…,"uid":…,"expires_at":…}: a token for any
// user of one app. Only for development: a configuration without dev = true may not name a secret, and
// without a secret the path does not exist. Outlives the router; its handlers run on the server's loop.
class Demo {
 public:
  explicit Demo(const DemoConfig& config);
  void add_routes(http::Router& router) const;

 private:
  [[nodiscard]] http::Response token(const http::Request& request) const;

  const DemoConfig config_;
  const auth::JwtTokens tokens_;
};

}  // namespace hongyan::iplist
