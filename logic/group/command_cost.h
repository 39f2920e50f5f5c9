// What a command of a group costs who sends it. A pure function.
#pragma once

#include "logic/group/config.h"
#include "logic/message/fan_out_cost.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// As it was sent, whatever comes of it.
[[nodiscard]] FanOutCost cost_of_command(const Message& message, client::CtrlType type,
                                         const client::GroupOp& op, const GroupConfig& config);

}  // namespace hongyan::logic
