#include "logic/app/apps_config.h"

#include <set>
#include <string_view>

#include "common/config/schema.h"
#include "common/protocol/ids.h"
#include "logic/kafka/config.h"

namespace hongyan::logic {

namespace {

void bind_token_key(config::Schema& schema, TokenKeyConfig& key) {
  schema.value("kid", key.kid, "Name of the key, as tokens carry it.").length(0, 128);
  schema.value("algorithm", key.algorithm, "HS256, RS256 or ES256.").one_of({"HS256", "RS256", "ES256"});
  schema.secret("key", key.key, "HS256: the secret. RS256, ES256: the public key, PEM.").required();
  schema.check("key", [&key] {
    const auto fits = auth::check_token_key(key.of({}));
    return fits ? std::string() : fits.error().message;
  });
}

// Some key, and no two that a token could mean.
std::string check_keys(const AppConfig& app) {
  std::set<std::string> kids;
  if (!app.token_secret.empty()) kids.insert("");
  for (const auto& key : app.keys) {
    if (!kids.insert(key.kid).second) return "two keys have the kid \"" + key.kid + "\"";
  }
  return kids.empty() ? "has neither token_secret nor keys" : "";
}

std::string check_destinations(const AppConfig& app) {
  for (const auto& name : app.upload_destinations) {
    if (name.empty() || name.size() > protocol::kMaxDestination) return "a destination has 1 to 64 bytes";
    if (auto wrong = check_topic_part(name); !wrong.empty()) return wrong;
  }
  return {};
}

void bind_api_key(config::Schema& schema, ApiKeyConfig& key) {
  schema.value("sha256", key.sha256, "SHA-256 of the key, in lower-case hex.").required();
  schema.check("sha256", [&key] {
    const bool is_digest =
        key.sha256.size() == 64 && key.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
    return std::string(is_digest ? "" : "is not 64 lower-case hex digits");
  });
  schema.list(
      "rights", key.rights,
      "What the key may do: \"messages\" (send), \"tokens\" (make), \"presence\" (see who is online), "
      "\"kick\" (close sessions), \"users\" (register, look up), \"ban\", \"groups\".");
  schema.check("rights", [&key] {
    for (const auto& name : key.rights) {
      const auto right = parse_right(name);
      if (!right) return right.error().message;
    }
    return std::string(key.rights.empty() ? "names no right: the key would be of no use" : "");
  });
}

// A key tells its app.
std::string check_api_keys(const std::vector<AppConfig>& apps) {
  std::set<std::string> digests;
  for (const auto& app : apps) {
    for (const auto& key : app.api_keys) {
      if (!digests.insert(key.sha256).second) return "two api_keys have the same sha256";
    }
  }
  return {};
}

}  // namespace

auth::TokenKey TokenKeyConfig::of(const std::string& app_id) const {
  return {.app_id = app_id,
          .secret = key,
          .kid = kid,
          .algorithm = auth::parse_token_algorithm(algorithm).value_or(auth::TokenAlgorithm::kHs256)};
}

std::vector<auth::TokenKey> AppsConfig::token_keys() const {
  std::vector<auth::TokenKey> out;
  for (const auto& app : all) {
    if (!app.token_secret.empty()) out.push_back({.app_id = app.id, .secret = app.token_secret});
    for (const auto& key : app.keys) out.push_back(key.of(app.id));
  }
  return out;
}

UploadDestinations AppsConfig::upload_destinations() const {
  UploadDestinations out;
  for (const auto& app : all) {
    for (const auto& name : app.upload_destinations) out.allow(app.id, name);
  }
  return out;
}

std::vector<ApiKey> AppsConfig::api_keys() const {
  std::vector<ApiKey> out;
  for (const auto& app : all) {
    for (const auto& key : app.api_keys) {
      ApiKey made{.app_id = app.id, .sha256 = key.sha256, .rights = {}};
      for (const auto& name : key.rights)
        made.rights.push_back(*parse_right(name));  // checked when it was loaded
      out.push_back(std::move(made));
    }
  }
  return out;
}

RulesOfApps AppsConfig::rules() const {
  RulesOfApps out;
  for (const auto& app : all) out.set(app.id, app.rules);
  return out;
}

std::vector<std::string> AppsConfig::destination_names() const {
  std::set<std::string> names;
  for (const auto& app : all) names.insert(app.upload_destinations.begin(), app.upload_destinations.end());
  return {names.begin(), names.end()};
}

void bind(config::Schema& schema, AppsConfig& config) {
  schema
      .tables<AppConfig>(
          "apps", "One table an app (tenant); apps share nothing.",
          [](config::Schema& s, AppConfig& app) {
            s.value("id", app.id, "app_id of clients.").required().length(1, 64);
            s.secret("token_secret", app.token_secret,
                     "Key of the tokens that POST /v1/tokens signs (JWT, HS256).")
                .length(16, 1024);
            s.tables<TokenKeyConfig>(
                "keys", "Further keys of the app's tokens, for an account system that signs them.",
                bind_token_key, app.keys);
            s.check("id", [&app] { return check_keys(app); });
            s.tables<ApiKeyConfig>("api_keys", "Keys of the server API.", bind_api_key, app.api_keys);
            s.list("upload_destinations", app.upload_destinations,
                   "Where users may upload to (C2S); each makes a topic with kafka.topic_prefix.");
            s.check("upload_destinations", [&app] { return check_destinations(app); });
            bind(s, app.rules);
          },
          config.all)
      .required();
  schema.check("apps", [&config] { return check_api_keys(config.all); });
}

}  // namespace hongyan::logic
