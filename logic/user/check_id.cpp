#include "logic/user/check_id.h"

#include <string>

namespace hongyan::logic {

Status check_id(std::string_view id, std::size_t most, std::string_view what) {
  if (id.empty()) return fail(Code::kBadRequest, std::string(what) + " is empty");
  if (id.size() > most) {
    return fail(Code::kBadRequest, std::string(what) + " is longer than " + std::to_string(most) + " bytes");
  }
  if (!protocol::is_id(id, most)) {
    return fail(Code::kBadRequest, std::string(what) + " contains NUL");
  }
  return {};
}

}  // namespace hongyan::logic
