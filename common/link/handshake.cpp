#include "common/link/handshake.h"

#include <array>
#include <boost/asio/write.hpp>

#include "common/link/frame.h"
#include "proto/parse.h"

namespace hongyan::link {

namespace {

net::Awaitable<Status> send(net::TcpSocket& socket, LinkCommand command,
                            const google::protobuf::MessageLite& message) {
  std::string bytes;
  append_frame(bytes, command, 0, 0, message, {});
  net::error_code ec;
  co_await net::asio::async_write(socket, net::asio::buffer(bytes), net::await(ec));
  if (ec) co_return fail(Code::kUnavailable, ec.message());
  co_return Status{};
}

// The next packet, taken off the front of `input`, must be this one.
net::Awaitable<Status> receive(net::TcpSocket& socket, std::string& input, LinkCommand command,
                               google::protobuf::MessageLite& message) {
  for (;;) {
    LinkPacket packet;
    const auto size = split_frame(input, kMaxUnprovedBody, packet);
    if (!size) co_return std::unexpected(size.error());
    if (*size > 0) {
      const bool right = packet.command == command && parse(message, packet.envelope);
      input.erase(0, *size);
      if (!right) co_return fail(Code::kBadRequest, "another packet than a hello or a proof");
      co_return Status{};
    }
    std::array<char, kMaxUnprovedBody> bytes;
    net::error_code ec;
    const std::size_t count = co_await socket.async_read_some(net::asio::buffer(bytes), net::await(ec));
    if (ec) co_return fail(Code::kUnavailable, ec.message());
    input.append(bytes.data(), count);
  }
}

}  // namespace

net::Awaitable<Result<Proved>> shake_hands(net::TcpSocket& socket, const Identity& identity, Side side,
                                           std::uint32_t worker) {
  const Hello mine = make_hello(identity, worker);
  Proved proved;
  proved.peer.address = address_of(socket);
  if (auto sent = co_await send(socket, LINK_COMMAND_HELLO, mine); !sent)
    co_return std::unexpected(sent.error());
  Hello theirs;
  if (auto got = co_await receive(socket, proved.rest, LINK_COMMAND_HELLO, theirs); !got) {
    co_return std::unexpected(got.error());
  }
  if (auto good = check_hello(theirs); !good) co_return std::unexpected(good.error());
  const Hello& client = side == Side::kClient ? mine : theirs;
  const Hello& server = side == Side::kClient ? theirs : mine;

  Proof proof;
  proof.set_mac(make_proof(identity.secret, side, client, server));
  // The client proves itself first.
  if (side == Side::kClient) {
    if (auto sent = co_await send(socket, LINK_COMMAND_PROOF, proof); !sent)
      co_return std::unexpected(sent.error());
  }
  Proof their_proof;
  if (auto got = co_await receive(socket, proved.rest, LINK_COMMAND_PROOF, their_proof); !got) {
    const bool ended = side == Side::kClient && got.error().code == Code::kUnavailable;
    co_return ended ? fail(Code::kUnauthenticated, "closed instead of a proof")
                    : std::unexpected(got.error());
  }
  const Side other = side == Side::kClient ? Side::kServer : Side::kClient;
  if (!proof_matches(their_proof.mac(), make_proof(identity.secret, other, client, server))) {
    co_return fail(Code::kUnauthenticated, "wrong cluster secret");
  }
  if (side == Side::kServer) {
    if (auto sent = co_await send(socket, LINK_COMMAND_PROOF, proof); !sent)
      co_return std::unexpected(sent.error());
  }
  proved.peer.role = theirs.role();
  proved.peer.node_id = theirs.node_id();
  proved.peer.boot_id = theirs.boot_id();
  proved.peer.link_version = theirs.link_version();
  proved.peer.worker = theirs.worker();
  co_return proved;
}

std::string address_of(const net::TcpSocket& socket) {
  net::error_code ec;
  const auto remote = socket.remote_endpoint(ec);
  return ec ? "unknown" : remote.address().to_string() + ":" + std::to_string(remote.port());
}

}  // namespace hongyan::link
