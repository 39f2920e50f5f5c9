// POST /v1/tokens of the server API.
#pragma once

#include "common/http/router.h"
#include "logic/api/keys.h"
#include "logic/auth/token.h"

namespace hongyan::logic {

// {"uid":"alice","ttl_seconds":86400} answers {"token":"…","expires_at":…}. keys and signer outlive the
// router.
void add_token_routes(http::Router& router, const ApiKeys& keys, const TokenSigner& signer);

}  // namespace hongyan::logic
