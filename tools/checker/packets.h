// What packets say, in the terms of a history.
#pragma once

#include "proto/client.pb.h"
#include "tools/checker/history.h"

namespace hongyan::checker {

[[nodiscard]] Outcome outcome_of(client::ErrorCode code);

// Who, when and where is the recorder's to add. A CtrlSendReq must name a group.
[[nodiscard]] Attempt attempt_of(const client::C2CSendReq& request);
[[nodiscard]] Attempt attempt_of(const client::C2GSendReq& request);
[[nodiscard]] Attempt attempt_of(const client::CtrlSendReq& request);

// Of a large group's page: group_id is the page's, and seq means group_seq.
[[nodiscard]] Row row_of(const client::PullMsg& message);
[[nodiscard]] Row row_of(const client::C2CPush& push);
[[nodiscard]] Row row_of(const client::C2GPush& push);
[[nodiscard]] Row row_of(const client::CtrlPush& push);

}  // namespace hongyan::checker
