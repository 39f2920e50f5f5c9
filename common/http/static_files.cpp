#include "common/http/static_files.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

namespace hongyan::http {

namespace {

namespace fs = std::filesystem;

struct File {
  std::string content;
  std::string type;
  Fields headers;
  std::string etag;
};

constexpr std::string_view kAssets = "assets/";

std::string type_of(const fs::path& path) {
  struct Type {
    std::string_view ending;
    std::string_view type;
  };
  static constexpr std::array<Type, 12> kTypes = {{{".html", "text/html; charset=utf-8"},
                                                   {".js", "text/javascript; charset=utf-8"},
                                                   {".css", "text/css; charset=utf-8"},
                                                   {".json", "application/json"},
                                                   {".map", "application/json"},
                                                   {".webmanifest", "application/manifest+json"},
                                                   {".svg", "image/svg+xml"},
                                                   {".png", "image/png"},
                                                   {".ico", "image/x-icon"},
                                                   {".woff2", "font/woff2"},
                                                   {".wasm", "application/wasm"},
                                                   {".txt", "text/plain; charset=utf-8"}}};
  const auto found = std::ranges::find(kTypes, path.extension().string(), &Type::ending);
  return std::string(found == kTypes.end() ? "application/octet-stream" : found->type);
}

// W/"a", "b": whether ours is among them.
bool names(std::string_view if_none_match, std::string_view etag) noexcept {
  return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

Response answer(const File& file, const Request& request) {
  Response response;
  response.headers = file.headers;
  if (const auto held = request.header("If-None-Match"); held && names(*held, file.etag)) {
    response.status = 304;
    return response;
  }
  response.content_type = file.type;
  response.body = file.content;
  return response;
}

Result<std::vector<fs::path>> list(const fs::path& folder) {
  std::error_code ec;
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().filename().string().starts_with('.')) {
      it.disable_recursion_pending();
    } else if (it->symlink_status(ec).type() == fs::file_type::regular) {
      files.push_back(it->path());
    }
  }
  if (ec) return fail(Code::kNotFound, fmt::format("{}: {}", folder.string(), ec.message()));
  std::ranges::sort(files);
  return files;
}

Result<std::string> read(const fs::path& path, std::size_t most) {
  std::error_code ec;
  if (fs::file_size(path, ec) > most && !ec) {
    return fail(Code::kTooLarge, fmt::format("{}: the files exceed max_bytes", path.string()));
  }
  std::ifstream stream(path, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return fail(Code::kUnavailable, fmt::format("{} cannot be read", path.string()));
  if (content.size() > most) {
    return fail(Code::kTooLarge, fmt::format("{}: the files exceed max_bytes", path.string()));
  }
  return content;
}

}  // namespace

Result<std::size_t> add_static_files(Router& router, const StaticFilesOptions& options) {
  const auto paths = list(options.folder);
  if (!paths) return std::unexpected(paths.error());
  std::size_t left = options.max_bytes;
  for (const auto& path : *paths) {
    const std::string name = path.lexically_relative(options.folder).generic_string();
    if (name.find('{') != std::string::npos) {
      return fail(Code::kBadRequest, fmt::format("{}: the name holds a brace", path.string()));
    }
    auto content = read(path, left);
    if (!content) return std::unexpected(content.error());
    left -= content->size();
    auto file = std::make_shared<File>();
    file->etag = fmt::format("\"{:016x}\"", XXH3_64bits(content->data(), content->size()));
    file->content = std::move(*content);
    file->type = type_of(path);
    file->headers = options.headers;
    file->headers.emplace_back("ETag", file->etag);
    file->headers.emplace_back(
        "Cache-Control", name.starts_with(kAssets) ? "public, max-age=31536000, immutable" : "no-cache");
    file->headers.emplace_back("X-Content-Type-Options", "nosniff");
    const auto handler = [file = std::shared_ptr<const File>(file)](const Request& request) {
      return answer(*file, request);
    };
    router.add_simple(Method::kGet, "/" + name, handler);
    if (path.filename() == "index.html") {
      router.add_simple(Method::kGet, "/" + name.substr(0, name.size() - path.filename().string().size()),
                        handler);
    }
  }
  return paths->size();
}

}  // namespace hongyan::http
