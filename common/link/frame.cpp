#include "common/link/frame.h"

#include <arpa/inet.h>

#include <cstring>

#include "common/net/packet.h"

namespace hongyan::link {

namespace {
constexpr std::size_t kLengthSize = 4;
}

void append_frame(std::string& out, LinkCommand command, std::uint32_t seq, std::uint32_t slot,
                  const google::protobuf::MessageLite& envelope, std::string_view payload) {
  const std::size_t envelope_size = envelope.ByteSizeLong();
  const std::size_t body = kLengthSize + envelope_size + payload.size();
  const std::size_t begin = out.size();
  out.resize(begin + net::kHeaderSize + body);
  char* at = out.data() + begin;
  net::write_header({.client_version = slot,
                     .cmd_id = static_cast<std::uint32_t>(command),
                     .seq = seq,
                     .body_length = static_cast<std::uint32_t>(body)},
                    at);
  at += net::kHeaderSize;
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(envelope_size));
  std::memcpy(at, &length, kLengthSize);
  at += kLengthSize;
  envelope.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(at));
  at += envelope_size;
  payload.copy(at, payload.size());  // memcpy from the null pointer of an empty view is undefined
}

Result<std::size_t> split_frame(std::string_view bytes, std::size_t max_body, LinkPacket& packet) {
  if (bytes.size() < net::kHeaderSize) return 0;
  const auto header = net::read_header(bytes.data());
  if (header.header_length != net::kHeaderSize) return fail(Code::kBadRequest, "header length");
  if (header.body_length < kLengthSize || header.body_length > max_body) {
    return fail(Code::kBadRequest, "body length");
  }
  if (bytes.size() < net::kHeaderSize + header.body_length) return 0;
  const std::string_view body = bytes.substr(net::kHeaderSize, header.body_length);
  std::uint32_t length = 0;
  std::memcpy(&length, body.data(), kLengthSize);
  length = ntohl(length);
  if (length > body.size() - kLengthSize) return fail(Code::kBadRequest, "envelope length");
  packet = {.command = static_cast<LinkCommand>(header.cmd_id),
            .seq = header.seq,
            .slot = header.client_version,
            .envelope = body.substr(kLengthSize, length),
            .payload = body.substr(kLengthSize + length)};
  return net::kHeaderSize + header.body_length;
}

Result<std::size_t> split_frames(std::string_view bytes, std::vector<LinkPacket>& packets) {
  std::size_t used = 0;
  for (;;) {
    LinkPacket packet;
    const auto size = split_frame(bytes.substr(used), kMaxLinkBody, packet);
    if (!size) return std::unexpected(size.error());
    if (*size == 0) return used;
    packets.push_back(packet);
    used += *size;
  }
}

}  // namespace hongyan::link
