// Bodies of packets.
#include <string>

#include "gate/session/proto_glance.h"
#include "logic/group/rules.h"
#include "proto/client.pb.h"
#include "proto/parse.h"
#include "tests/fuzz/target.h"

namespace hongyan::fuzz {

void protobuf_glance(std::string_view bytes) {
  // What the gate lets pass parses at logic, whose parser is protobuf's own.
  client::PushAck ack;
  std::int64_t seq = 0;
  const bool parses = parse(ack, bytes);
  if (gate::read_push_ack(bytes, seq)) {
    expect(gate::well_formed(bytes));
    if (parses) expect(seq == ack.seq());
  }
}

void group_command(std::string_view bytes) {
  static const logic::GroupConfig config;
  client::CtrlSendReq request;
  if (!parse(request, bytes)) return;
  logic::GroupCommand command{.type = request.type(), .actor = request.from(), .op = {}};
  if (!parse(command.op, request.content())) return;
  if (!logic::check_command(command, config)) return;
  logic::GroupState group;
  group.exists = command.type != client::CTRL_TYPE_CREATE_GROUP;
  group.info.owner = "alice";
  group.members = {{"alice", 1}, {"bob", 1}, {"carol", 2}};
  group.invited = {{"dave", 3}};
  group.head = 7;
  if (logic::is_read(command.type)) {
    static_cast<void>(logic::may_read(group, command.actor, false));
    return;
  }
  auto change = logic::decide(group, command, config);
  if (!change) return;
  const std::size_t before = group.members.size();
  logic::join(group, *change, group.head + 1);
  logic::leave(group, *change);
  expect(group.members.size() <= before + change->joined.size());
  static_cast<void>(logic::result_of(*change, group, 12));
}

}  // namespace hongyan::fuzz
