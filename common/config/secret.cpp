#include "common/config/secret.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "common/config/read_file.h"
#include "common/config/render.h"

namespace hongyan::config::detail {

std::string SecretReader::read(Key& key, const std::string& text, const std::string& folder) {
  std::string& secret = *std::get<SecretTarget>(key.target_).value;
  const std::string_view form = std::string_view(key.secret_key_).substr(key.name_.size());
  if (form == "_file") {
    const auto file = (std::filesystem::path(folder) / text).string();
    auto content = read_file(file, 1 << 16);
    if (!content) return fmt::format("the file {} {}", quote(file), content.error().message);
    secret = std::move(*content);
    if (secret.ends_with('\n')) secret.pop_back();
    if (secret.ends_with('\r')) secret.pop_back();
    key.secret_source_ = text;
  } else if (form == "_env") {
    const char* value = std::getenv(text.c_str());  // NOLINT(concurrency-mt-unsafe): at start, one thread
    if (value == nullptr) return fmt::format("the environment has no {}", quote(text));
    secret = value;
    key.secret_source_ = text;
  } else {
    secret = text;
  }
  if (secret.empty()) return key.required_ ? "must not be empty" : "";
  return key.check_length(secret);
}

}  // namespace hongyan::config::detail
