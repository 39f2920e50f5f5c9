// Which gate to try next.
#pragma once

#include <string>
#include <vector>

#include "client/cpp/types.h"
#include "common/net/asio.h"

namespace hongyan::client {

struct GateOptions {
  std::vector<Endpoint> gates = {};  // the whole list without an iplist; else what to try while none answers
  std::vector<std::string> iplist =
      {};  // base URLs ("http://127.0.0.1:7200"), asked in turn until one answers
  std::string app_id = {};
  std::string uid = {};
  std::string transport = "tcp";  // what the iplist is asked for
};

// Goes round a list: the fixed one, from a random start, or what an iplist answered, best first, asked again
// when it is used up or older than the iplist said. With no iplist reachable the last list stands, at first
// the fixed one. Lives on one loop.
class GateList {
 public:
  // start: in [0, 1), where a fixed list begins.
  GateList(GateOptions options, double start);

  // Errors: kUnavailable.
  [[nodiscard]] net::Awaitable<Result<Endpoint>> next();

 private:
  [[nodiscard]] net::Awaitable<Status> refresh();

  const GateOptions options_;
  std::vector<Endpoint> list_ = {};
  std::size_t next_ = 0;
  SteadyTime expires_ = SteadyTime::min();
};

// The answer of GET /v1/gates. Errors: kUnavailable.
struct GatesAnswer {
  std::vector<Endpoint> gates = {};
  Milliseconds ttl{0};
};
[[nodiscard]] Result<GatesAnswer> parse_gates(std::string_view json);

}  // namespace hongyan::client
