// What the header of a request must not say about where the request ends and who sends it.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/http/message.h"

namespace hongyan::http {

// Two readers of one header, a proxy and this server, must not see two different requests (request smuggling), so what
// RFC 9112 lets nobody read in two ways is all that is taken; 6.1 to 6.3 and 3.2 of it, and one Authorization:
// - Transfer-Encoding only as one "chunked", of HTTP/1.1, without a Content-Length;
// - Content-Length only once, as one number;
// - one Host from HTTP/1.1 on, not more ever; at most one Authorization.
// Error kBadRequest: the connection has to be closed. version: 10 or 11.
[[nodiscard]] Status check_framing(const Fields& headers, unsigned version);

}  // namespace hongyan::http
