#include "common/config/read_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace hongyan::config::detail {

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec)) return fail(Code::kNotFound, "is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "cannot be opened");
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) return fail(Code::kNotFound, "cannot be read");
  if (text.size() > limit) return fail(Code::kTooLarge, "is too large");
  return text;
}

}  // namespace hongyan::config::detail
