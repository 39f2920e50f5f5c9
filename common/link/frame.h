// The bytes of one packet between daemons (proto/link.proto).
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "proto/link.pb.h"

namespace hongyan::link {

// Largest body of a link packet, a client's largest body and its envelope included.
inline constexpr std::size_t kMaxLinkBody = 8 << 20;

// A packet as received: views into the link's read buffer.
struct LinkPacket {
  LinkCommand command = LINK_COMMAND_NONE;
  std::uint32_t seq = 0;
  std::uint32_t slot = 0;
  std::string_view envelope;
  std::string_view payload;
};

// Appends one packet to out.
void append_frame(std::string& out, LinkCommand command, std::uint32_t seq, std::uint32_t slot,
                  const google::protobuf::MessageLite& envelope, std::string_view payload);

// The packet at the beginning of `bytes`; returns how many of them it took, 0: it is not whole yet. Error
// kBadRequest: the stream cannot go on; a body of more than max_body is known by its header.
[[nodiscard]] Result<std::size_t> split_frame(std::string_view bytes, std::size_t max_body,
                                              LinkPacket& packet);

// Splits `bytes` into packets, appended to `packets`; returns how many bytes they took. Error kBadRequest:
// the stream cannot go on.
[[nodiscard]] Result<std::size_t> split_frames(std::string_view bytes, std::vector<LinkPacket>& packets);

}  // namespace hongyan::link
