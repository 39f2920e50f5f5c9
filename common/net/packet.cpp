#include "common/net/packet.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace hongyan::net {

PacketHeader read_header(const char* bytes) noexcept {
  std::array<std::uint32_t, 5> words;
  std::memcpy(words.data(), bytes, kHeaderSize);
  return {.header_length = ntohl(words[0]),
          .client_version = ntohl(words[1]),
          .cmd_id = ntohl(words[2]),
          .seq = ntohl(words[3]),
          .body_length = ntohl(words[4])};
}

void write_header(const PacketHeader& header, char* out) noexcept {
  const std::array<std::uint32_t, 5> words = {htonl(kHeaderSize), htonl(header.client_version),
                                              htonl(header.cmd_id), htonl(header.seq),
                                              htonl(header.body_length)};
  std::memcpy(out, words.data(), kHeaderSize);
}

void append_packet(std::string& out, std::uint32_t client_version, std::uint32_t cmd_id, std::uint32_t seq,
                   std::string_view body) {
  std::array<char, kHeaderSize> header;
  write_header({.client_version = client_version,
                .cmd_id = cmd_id,
                .seq = seq,
                .body_length = static_cast<std::uint32_t>(body.size())},
               header.data());
  out.append(header.data(), header.size()).append(body);
}

std::string_view to_string(PacketError error) noexcept {
  switch (error) {
    case PacketError::kHeaderLength:
      return "header length out of range";
    case PacketError::kBodyTooLarge:
      return "body too large";
  }
  return "unknown";
}

std::expected<std::size_t, PacketError> PacketDecoder::check(const PacketHeader& header) const noexcept {
  if (header.header_length < kHeaderSize || header.header_length > kMaxHeaderSize) {
    return std::unexpected(PacketError::kHeaderLength);
  }
  if (header.body_length > max_body_bytes_) return std::unexpected(PacketError::kBodyTooLarge);
  return std::size_t{header.header_length} + header.body_length;
}

std::expected<const Packet*, PacketError> PacketDecoder::next() {
  if (kept_consumed_) {
    kept_.clear();
    kept_consumed_ = false;
  }
  if (!kept_.empty()) {
    const auto take = [this](std::size_t wanted) {
      const std::size_t bytes = std::min(wanted - std::min(wanted, kept_.size()), input_.size());
      kept_.append(input_.substr(0, bytes));
      input_.remove_prefix(bytes);
      return kept_.size() >= wanted;
    };
    if (!take(kHeaderSize)) return nullptr;
    packet_.header = read_header(kept_.data());
    const auto size = check(packet_.header);
    if (!size) return std::unexpected(size.error());
    if (!take(*size)) return nullptr;
    packet_.body = std::string_view(kept_).substr(packet_.header.header_length);
    kept_consumed_ = true;
    return &packet_;
  }
  if (input_.size() < kHeaderSize) return nullptr;
  packet_.header = read_header(input_.data());
  const auto size = check(packet_.header);
  if (!size) return std::unexpected(size.error());
  if (input_.size() < *size) return nullptr;
  packet_.body = input_.substr(packet_.header.header_length, packet_.header.body_length);
  input_.remove_prefix(*size);
  return &packet_;
}

void PacketDecoder::keep() {
  if (kept_consumed_) {
    kept_.clear();
    kept_consumed_ = false;
  }
  kept_.append(input_);
  input_ = {};
  if (kept_.empty() && kept_.capacity() > 64) kept_ = std::string();
}

std::string PacketDecoder::take_rest() {
  std::string rest(std::exchange(input_, {}));
  keep();
  return rest;
}

}  // namespace hongyan::net
