// What is read of texts: HTTP, tokens, configurations.
#include <string>

#include "common/auth/token.h"
#include "common/config/schema.h"
#include "common/http/framing.h"
#include "common/http/message.h"
#include "common/http/router.h"
#include "gate/config/gate_config.h"
#include "gate/transport/ws_handshake.h"
#include "tests/fuzz/target.h"

namespace hongyan::fuzz {

void ws_upgrade(std::string_view bytes) {
  static const gate::WsOptions options;
  static_cast<void>(gate::may_be_upgrade(bytes));
  const gate::WsAnswer answer = gate::answer_upgrade(bytes, options);
  expect(answer.response.starts_with("HTTP/1.1 "));
  expect(answer.accepted == answer.response.starts_with("HTTP/1.1 101 "));
}

// A line of the target, then lines "name: value", as the parser hands them over.
void http_request(std::string_view bytes) {
  static const http::Router router = [] {
    http::Router made;
    const auto handler = [](const http::Request&) { return http::Response{}; };
    made.add_simple(http::Method::kGet, "/v1/users/{uid}/presence", handler);
    made.add_simple(http::Method::kPost, "/v1/messages", handler);
    return made;
  }();
  const auto line_end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view target = bytes.substr(0, line_end);
  bytes.remove_prefix(std::min(line_end + 1, bytes.size()));
  http::Fields headers;
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    const auto colon = std::min(line.find(": "), line.size());
    headers.emplace_back(std::string(line.substr(0, colon)),
                         std::string(line.substr(std::min(colon + 2, line.size()))));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  if (http::check_framing(headers, 11)) {
    std::size_t hosts = 0;
    for (const auto& [name, value] : headers) {
      if (http::same_name(name, "Host")) ++hosts;
      if (http::same_name(name, "Transfer-Encoding")) expect(http::same_name(value, "chunked"));
    }
    expect(hosts == 1);
  }
  static_cast<void>(http::parse_query(target));
  if (target.starts_with('/')) static_cast<void>(router.find(http::Method::kGet, target));
  const auto decoded = http::percent_decode(target);
  if (decoded) expect(http::percent_decode(http::percent_encode(*decoded)) == decoded);
}

// Nobody knows the secret, so nothing verifies.
void token(std::string_view bytes) {
  static const auth::JwtTokens tokens(
      {{.app_id = "demo", .secret = "a secret that no fuzzer knows"},
       {.app_id = "two", .secret = "another secret, of the first", .kid = "1"},
       {.app_id = "two", .secret = "another secret, of the second", .kid = "2"}});
  expect(!tokens.verify("demo", "alice", bytes));
  expect(!tokens.verify("two", "alice", bytes));
}

void configuration(std::string_view bytes) {
  gate::GateConfig config;
  config::Schema schema;
  gate::bind(schema, config);
  // What a file names is not opened: secrets by file are of the same parser.
  if (bytes.find("_file") != std::string_view::npos) return;
  for (const std::string& error : schema.load_text(bytes, "gate.toml")) expect(!error.empty());
}

}  // namespace hongyan::fuzz
