#include "client/cpp/outputs.h"

#include "common/net/packet.h"

namespace hongyan::client {

std::uint32_t Outputs::write(Command command, std::string_view body) {
  if (++last_seq_ == 0) last_seq_ = 1;
  if (list_.empty() || !std::holds_alternative<output::Write>(list_.back()))
    list_.emplace_back(output::Write{});
  net::append_packet(std::get<output::Write>(list_.back()).bytes, client_version_,
                     static_cast<std::uint32_t>(command), last_seq_, body);
  return last_seq_;
}

}  // namespace hongyan::client
