// The way to another logic node.
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/base/slot.h"
#include "proto/link.pb.h"

namespace hongyan::logic {

// A link between a slot thread of one logic node and another node. An interface, so that the pipeline is tested
// without sockets. Any thread.
class PeerPort {
 public:
  PeerPort() = default;
  virtual ~PeerPort() = default;
  PeerPort(const PeerPort&) = delete;
  PeerPort& operator=(const PeerPort&) = delete;

  [[nodiscard]] virtual bool is_open() const noexcept = 0;
  // Only queues. slot: of the slot thread that it is for, at a node that takes links for all of its own. False:
  // the link is closed or full, and the packet is lost.
  [[nodiscard]] virtual bool send(link::LinkCommand command, Slot slot,
                                  const google::protobuf::MessageLite& envelope) = 0;
  virtual void close(std::string_view reason) = 0;
};
using PeerPortPtr = std::shared_ptr<PeerPort>;

// Who sent something, for what goes back.
struct Origin {
  std::uint32_t thread = 0;    // a slot thread of this node;
  PeerPortPtr peer = nullptr;  // or one of another node, at the other end of this link
};

}  // namespace hongyan::logic
