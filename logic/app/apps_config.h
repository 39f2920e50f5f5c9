// [[apps]] of logic's configuration: the tenants, their keys, where they may upload to.
#pragma once

#include <string>
#include <vector>

#include "common/auth/token.h"
#include "logic/api/keys.h"
#include "logic/message/upload_sink.h"
#include "logic/user/app_rules.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

// A key that checks an app's tokens.
struct TokenKeyConfig {
  std::string kid;
  std::string algorithm = "HS256";
  std::string key;  // HS256: the secret; RS256, ES256: the public key, PEM

  [[nodiscard]] auth::TokenKey of(const std::string& app_id) const;
};

// A key of the server API.
struct ApiKeyConfig {
  std::string sha256;
  std::vector<std::string> rights;
};

// One app (tenant).
struct AppConfig {
  std::string id;
  std::string token_secret;          // HS256, without kid
  std::vector<TokenKeyConfig> keys;  // further keys
  std::vector<ApiKeyConfig> api_keys;
  std::vector<std::string> upload_destinations;  // where C2S may go
  AppRules rules;
};

struct AppsConfig {
  std::vector<AppConfig> all;

  // Valid once the configuration was loaded.
  [[nodiscard]] std::vector<auth::TokenKey> token_keys() const;
  [[nodiscard]] UploadDestinations upload_destinations() const;
  // Each name once.
  [[nodiscard]] std::vector<std::string> destination_names() const;
  [[nodiscard]] std::vector<ApiKey> api_keys() const;
  [[nodiscard]] RulesOfApps rules() const;
};

// The configuration outlives the schema.
void bind(config::Schema& schema, AppsConfig& config);

}  // namespace hongyan::logic
