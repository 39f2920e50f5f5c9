// The links of gates and of logic nodes: packets to slot threads, and back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/link/link.h"
#include "logic/app/slot_thread.h"

namespace hongyan::logic {

// Handler of the LinkServer's links, which live on the slot threads' loops. What a read brought for the
// loop's own slot thread is handled at once; what it brought for others is posted to each of them once. A
// logic node (its server API) is told of slots and gets answers as a gate does, but has no sessions, and it
// alone may send internal commands.
class GateLinks : public link::LinkHandler {
 public:
  // threads outlive this.
  explicit GateLinks(const SlotThreads& threads);

  // The node owns these slots, too, or does not own these any more. Tells every peer; one that links up later is told
  // then. Returns the version of what was told; before: is called with it, before a peer hears of it. Any thread.
  std::uint64_t add(const std::vector<AcquiredSlot>& slots,
                    const std::function<void(std::uint64_t version)>& before);
  std::uint64_t remove(const std::vector<Slot>& slots);
  // Whether every gate that is linked has said that it has heard so much. Any thread.
  [[nodiscard]] bool heard(std::uint64_t version);
  // Whether anybody but this process is linked. Any thread.
  [[nodiscard]] bool has_peers(std::uint64_t own_boot_id);

 private:
  class Port;
  struct Forwarded;  // packets for another thread, copied
  // Of one slot thread.
  struct PerLoop {
    std::unordered_map<const link::Link*, std::shared_ptr<Port>> ports;
    link::ClientRequest request;
    link::Sessions sessions;
  };

  void on_link_up(const link::LinkPtr& link) override;
  void on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) override;
  void on_link_down(const link::LinkPtr& link) override;

  void handle(Pipeline& pipeline, PerLoop& mine, const std::shared_ptr<Port>& port,
              const link::LinkPacket& packet);
  // Closes the link when it makes no sense.
  static void from_node(Pipeline& pipeline, const std::shared_ptr<Port>& port,
                        const link::LinkPacket& packet);
  static void request(Pipeline& pipeline, const link::ClientRequest& parsed,
                      const std::shared_ptr<Port>& port, const link::LinkPacket& packet);
  // With the mutex held.
  [[nodiscard]] link::Slots whole() const;
  void tell(Port& port, const link::Slots& change) const;

  const SlotThreads& threads_;

  // Each used by the loop of the same index only.
  std::vector<PerLoop> per_loop_;

  std::mutex mutex_;  // guards what follows; held for copies and sends (which only queue)
  std::set<std::shared_ptr<Port>> all_ports_;
  std::map<Slot, std::uint64_t> owned_;
  std::uint64_t version_ = 0;
};

}  // namespace hongyan::logic
