// Which requests to the owners of slots are under way, to whom, and in which order they go again when an
// owner changes.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/owners/owner_table.h"

namespace hongyan::owners {

struct RouterOptions {
  Milliseconds request_deadline{3000};
  std::size_t max_held_bytes = 64 << 20;  // bodies of unanswered requests
};

using RequestHook = boost::intrusive::list_base_hook<>;
using SlotHook = boost::intrusive::list_member_hook<>;

// A request that is not answered yet.
struct Request : RequestHook {
  std::uint64_t channel = 0;  // who asks: a gate's client, or a call of the server API
  Slot slot = 0;
  std::uint32_t cmd_id = 0;
  std::uint32_t client_seq = 0;
  std::string body;
  SteadyTime arrived;
  // False for what changes nothing: its refusal may be passed on whoever else has seen the request.
  bool is_send = false;

  SlotHook slot_hook;
  std::uint32_t link_seq = 0;
  Owner sent_to;           // as the table said then; node 0: waits to be sent
  bool uncertain = false;  // an owner that has gone since may have carried it out
};

// What a logic node answered.
struct Answer {
  bool not_owner = false;
  std::uint64_t known_epoch = 0;  // with not_owner
  bool refused = false;
  std::uint64_t login_epoch = 0;
  std::int64_t expires_ms = 0;  // with login_epoch
  bool confirm = false;         // with login_epoch
  bool partly_refused = false;  // an answer with refusals in it
  std::string_view body = {};
};

// Who asks through a Router: sends what it is told to, and hears how each request ended. Called by the router
// on its thread; must not call it back.
class Requester {
 public:
  enum class Sent : std::uint8_t {
    kSent,
    kNotNow,  // the link takes nothing now
    kGone,    // who asked has gone: forget the request
  };
  virtual ~Requester() = default;
  virtual Sent send(NodeId node, const Request& request) = 0;
  virtual void answered(const Request& request, const Answer& answer) = 0;
  // kUnavailable: no owner has had it; kDeadlineExceeded: its outcome is unknown.
  virtual void refused(const Request& request, const Error& error) = 0;
};

// Sends each request to the owner of its slot, holds it while there is none, and sends the unanswered ones
// again, in their order and before newer ones, when the slot's owner or its epoch changes. Then an answer of
// the former owner counts only when it is an OK with no refusal in it, and a refusal of a send that a former
// owner may have carried out becomes DEADLINE_EXCEEDED: its outcome is unknown. Every request ends in answered() or refused() within
// request_deadline, or when who asked has gone.
//
// Pure: no I/O, the clock is the caller's. One thread.
class Router {
 public:
  Router(Requester& requester, RouterOptions options);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  struct NewRequest {
    std::uint64_t channel = 0;
    Slot slot = 0;
    std::uint32_t cmd_id = 0;
    std::uint32_t client_seq = 0;
    bool is_send = false;
    std::string_view body = {};
  };
  // Error kUnavailable: too much is held already.
  [[nodiscard]] Status submit(const NewRequest& request, SteadyTime now);

  // A node says what it owns, or its link is down. Then, when its sessions have been announced, send() the
  // slots returned.
  [[nodiscard]] std::vector<Slot> node_announced(NodeId node, const Announcement& announcement);
  [[nodiscard]] std::vector<Slot> node_down(NodeId node);
  void send_waiting(std::span<const Slot> slots);

  void answer(NodeId node, std::uint32_t link_seq, const Answer& answer);

  // Every 50 ms or so: deadlines, and what could not be sent.
  void tick(SteadyTime now);

  [[nodiscard]] const OwnerTable& owners() const noexcept { return owners_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  [[nodiscard]] std::uint64_t resent() const noexcept { return resent_; }

 private:
  using ByAge = boost::intrusive::list<Request, boost::intrusive::constant_time_size<true>>;
  using BySlot =
      boost::intrusive::list<Request, boost::intrusive::member_hook<Request, SlotHook, &Request::slot_hook>,
                             boost::intrusive::constant_time_size<false>>;
  struct SlotState {
    BySlot requests;  // unanswered, as they came
    std::uint32_t waiting = 0;
    bool to_retry = false;  // stands in retry_
  };

  [[nodiscard]] Request* new_request();
  [[nodiscard]] Request* find(std::uint32_t link_seq) noexcept;
  void drop(Request& request);
  void set_waiting(Request& request);
  // False: nothing later of the slot can be sent now either.
  bool send(Request& request);
  void send_slot(Slot slot);
  void owner_changed(Slot slot);
  void retry_later(Slot slot);
  [[nodiscard]] static std::size_t cost(const Request& request) noexcept;

  Requester& requester_;
  const RouterOptions options_;

  OwnerTable owners_;
  std::deque<Request> requests_;  // a link_seq names a place in it and how often that was used
  ByAge free_;                    // first in, first out: a late answer meets no newer request
  ByAge age_;                     // under way, oldest first
  std::vector<SlotState> slots_;
  std::vector<Slot> retry_;
  std::size_t in_flight_ = 0;
  std::size_t waiting_ = 0;
  std::size_t held_bytes_ = 0;
  std::uint64_t resent_ = 0;
};

}  // namespace hongyan::owners
