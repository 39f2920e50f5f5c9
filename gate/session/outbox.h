// What a session has to write to its client.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "gate/session/counters.h"
#include "gate/session/output_queue.h"
#include "gate/transport/transport.h"

namespace hongyan::gate {

// What the outboxes of a loop share.
struct OutboxContext {
  std::size_t max_bytes;  // that may wait for one client
  Tally& bytes_out;
  OutputPool pool;
  std::vector<net::asio::const_buffer> gather;  // reused, for its memory
};

// Packets for one client, and how far they are written: once a turn of the loop what the transport takes at
// once, the rest when it takes more. Lives on its session's loop; context and transport outlive it.
class Outbox {
 public:
  Outbox(OutboxContext& context, Transport& transport) noexcept : context_(context), transport_(transport) {}

  // The protocol version of the client, which stands in every packet to it; the first one counts.
  void learn_version(std::uint32_t version) noexcept {
    if (!version_) version_ = version;
  }

  // suffix: the end of the body, short.
  void append(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body, std::string_view suffix = {}) {
    queued().append(version_.value_or(0), cmd_id, seq, body, suffix);
  }
  void append_shared(std::uint32_t cmd_id, std::uint32_t seq, SharedBody body, std::string_view suffix = {}) {
    queued().append_shared(version_.value_or(0), cmd_id, seq, std::move(body), suffix);
  }
  // More waits than may.
  [[nodiscard]] bool overflows() const noexcept;
  // Drops what is not being written: whole packets.
  void drop_queued();

  // After append(): whether flush() is to be called at the end of this turn; told once.
  [[nodiscard]] bool wants_flush() noexcept;
  enum class Flushed : std::uint8_t {
    kAll,
    kRest,  // write_rest() is to be started
    kBusy,  // it runs
  };
  [[nodiscard]] Flushed flush();
  // Until all is written, what is queued meanwhile too. An error: the connection is broken. Who awaits it
  // keeps the outbox alive.
  [[nodiscard]] static net::Awaitable<Status> write_rest(Outbox& self);
  // Nothing is appended from now on, and what waits is forgotten.
  void close();

 private:
  [[nodiscard]] OutputQueue& queued();

  OutboxContext& context_;
  Transport& transport_;
  OutputQueuePtr queued_;   // null: nothing waits
  OutputQueuePtr writing_;  // being written by write_rest()
  std::optional<std::uint32_t> version_;
  bool flush_due_ = false;
};

}  // namespace hongyan::gate
