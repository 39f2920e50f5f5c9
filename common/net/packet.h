// The packet codec: the 20-byte header (that of Tencent Mars' long link) and a body. docs/protocol.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace hongyan::net {

inline constexpr std::size_t kHeaderSize = 20;
inline constexpr std::size_t kMaxHeaderSize = 64;

// The five header fields, host byte order.
struct PacketHeader {
  std::uint32_t header_length = kHeaderSize;
  std::uint32_t client_version = 0;
  std::uint32_t cmd_id = 0;
  std::uint32_t seq = 0;
  std::uint32_t body_length = 0;

  bool operator==(const PacketHeader&) const = default;
};

// Reads the fields; checks nothing. bytes: at least kHeaderSize.
[[nodiscard]] PacketHeader read_header(const char* bytes) noexcept;
// Writes 20 bytes; header_length is written as 20.
void write_header(const PacketHeader& header, char* out) noexcept;

// Appends one packet to out.
void append_packet(std::string& out, std::uint32_t client_version, std::uint32_t cmd_id, std::uint32_t seq,
                   std::string_view body);

enum class PacketError : std::uint8_t {
  kHeaderLength,  // not 20 to 64
  kBodyTooLarge,
};
[[nodiscard]] std::string_view to_string(PacketError error) noexcept;

struct Packet {
  PacketHeader header;
  std::string_view body;
};

// Splits a byte stream into packets without copying what lies whole in the input.
//
//   decoder.feed(bytes);
//   while (true) {
//     auto next = decoder.next();
//     if (!next) close;                // the stream cannot go on
//     if (*next == nullptr) break;     // more bytes are needed
//     use(**next);                     // valid until the following next() or feed()
//   }
//   decoder.keep();                    // once next() gave nothing: before `bytes` becomes invalid
//
// Keeps at most one packet's bytes; a body beyond the limit is refused on sight of its header, before
// anything is allocated. No thread of its own: lives where its session lives.
class PacketDecoder {
 public:
  explicit PacketDecoder(std::size_t max_body_bytes) noexcept : max_body_bytes_(max_body_bytes) {}

  // The limit may be raised between packets (before login it is small).
  void set_max_body_bytes(std::size_t limit) noexcept { max_body_bytes_ = limit; }

  void feed(std::string_view bytes) noexcept { input_ = bytes; }
  // nullptr: more bytes are needed. After an error the decoder must not be used again.
  [[nodiscard]] std::expected<const Packet*, PacketError> next();
  // Copies what is left of the input; releases the kept buffer when nothing is left.
  void keep();
  // Instead of keep(), between packets: the input that was not looked at yet; it is to be fed again.
  [[nodiscard]] std::string take_rest();

  // Bytes held between reads.
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_.size(); }

 private:
  [[nodiscard]] std::expected<std::size_t, PacketError> check(const PacketHeader& header) const noexcept;

  std::size_t max_body_bytes_;
  std::string_view input_;
  std::string kept_;            // the beginning of a packet, from earlier input
  bool kept_consumed_ = false;  // kept_ holds the packet that next() returned last
  Packet packet_;
};

}  // namespace hongyan::net
