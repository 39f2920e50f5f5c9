#include "common/http/framing.h"

#include <algorithm>
#include <string_view>

namespace hongyan::http {

namespace {

// Counts them; value: the last one's.
std::size_t count(const Fields& headers, std::string_view name, std::string_view& value) {
  std::size_t found = 0;
  for (const auto& [header, text] : headers) {
    if (!same_name(header, name)) continue;
    value = text;
    ++found;
  }
  return found;
}

bool is_number(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Status check_framing(const Fields& headers, unsigned version) {
  std::string_view value;
  const std::size_t encodings = count(headers, "Transfer-Encoding", value);
  if (encodings > 0) {
    if (version < 11 || encodings > 1 || !same_name(value, "chunked")) {
      return fail(Code::kBadRequest, "Transfer-Encoding may be \"chunked\" only");
    }
  }
  const std::size_t lengths = count(headers, "Content-Length", value);
  if (lengths > 1 || (lengths == 1 && !is_number(value))) {
    return fail(Code::kBadRequest, "Content-Length is not one number");
  }
  if (lengths > 0 && encodings > 0) {
    return fail(Code::kBadRequest, "both Content-Length and Transfer-Encoding");
  }
  const std::size_t hosts = count(headers, "Host", value);
  if (hosts > 1) return fail(Code::kBadRequest, "more than one Host header");
  if (hosts == 0 && version >= 11) return fail(Code::kBadRequest, "no Host header");
  if (count(headers, "Authorization", value) > 1) {
    return fail(Code::kBadRequest, "more than one Authorization header");
  }
  return {};
}

}  // namespace hongyan::http
