// Decoders of byte streams: what they find must not depend on how the stream was cut.
#include <string>

#include "common/link/frame.h"
#include "common/net/packet.h"
#include "common/net/proxy_protocol.h"
#include "gate/transport/ws_frame.h"
#include "tests/fuzz/target.h"

namespace hongyan::fuzz {

namespace {

constexpr std::size_t kMaxBody = 4096;

struct Seen {
  std::string packets;
  bool failed = false;

  bool operator==(const Seen&) const = default;
};

Seen packets_of(const std::vector<std::string_view>& pieces) {
  Seen seen;
  net::PacketDecoder decoder(kMaxBody);
  for (const std::string_view piece : pieces) {
    decoder.feed(piece);
    while (true) {
      const auto next = decoder.next();
      if (!next) {
        seen.failed = true;
        return seen;
      }
      if (*next == nullptr) break;
      const net::Packet& packet = **next;
      expect(packet.body.size() == packet.header.body_length && packet.body.size() <= kMaxBody);
      net::append_packet(seen.packets, packet.header.client_version, packet.header.cmd_id, packet.header.seq,
                         packet.body);
    }
    decoder.keep();
    expect(decoder.kept_bytes() <= kMaxBody + net::kMaxHeaderSize);
  }
  return seen;
}

Seen ws_packets_of(const std::vector<std::string_view>& pieces) {
  Seen seen;
  gate::WsDecoder decoder(kMaxBody);
  for (const std::string_view piece : pieces) {
    std::string bytes(piece);
    const std::string_view decoded = decoder.decode(bytes);
    expect(decoded.size() <= piece.size());
    seen.packets += decoded;
    static_cast<void>(decoder.take_ping());
    static_cast<void>(decoder.take_controls());
    if (decoder.ended()) break;
  }
  seen.failed = decoder.ended();
  return seen;
}

}  // namespace

void packets(std::string_view bytes) { expect(packets_of({bytes}) == packets_of(pieces_of(bytes))); }

void ws_frames(std::string_view bytes) {
  const Seen whole = ws_packets_of({bytes});
  const Seen cut = ws_packets_of(pieces_of(bytes));
  expect(whole.failed == cut.failed);
  // What came before a fault may be told or not, but it is the same.
  const std::size_t common = std::min(whole.packets.size(), cut.packets.size());
  expect(whole.packets.substr(0, common) == cut.packets.substr(0, common));
  if (!whole.failed) expect(whole == cut);
}

void proxy_header(std::string_view bytes) {
  const auto whole = net::parse_proxy_header(bytes);
  if (!whole || !*whole) return;
  const std::size_t size = (*whole)->size;
  expect(size > 0 && size <= bytes.size() && size <= net::kMaxProxyHeader);
  // Nothing behind it matters, and nothing less is enough.
  const auto exact = net::parse_proxy_header(bytes.substr(0, size));
  expect(exact && *exact && (*exact)->size == size && (*exact)->client == (*whole)->client);
  const auto less = net::parse_proxy_header(bytes.substr(0, size - 1));
  expect(less && !*less);
}

void link_frames(std::string_view bytes) {
  link::LinkPacket packet;
  std::string_view rest = bytes;
  while (true) {
    const auto taken = link::split_frame(rest, kMaxBody, packet);
    if (!taken || *taken == 0) break;
    expect(*taken <= rest.size());
    expect(packet.envelope.size() + packet.payload.size() <= kMaxBody);
    rest.remove_prefix(*taken);
  }
}

}  // namespace hongyan::fuzz
