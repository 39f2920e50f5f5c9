// Who is online, as others are told.
#pragma once

#include "logic/user/user.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

void describe(const User& user, client::Presence& out);

}  // namespace hongyan::logic
