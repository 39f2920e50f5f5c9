// Finds the handler of a request.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/http/message.h"
#include "common/net/asio.h"

namespace hongyan::http {

// Runs on the server's loop and must not block. What it throws is answered with 500.
using Handler = std::function<net::Awaitable<Response>(Request)>;
// Looks at a request whose header is in and whose body is not yet: an error is answered, and the body not read.
using HeadCheck = std::function<Status(const Request&)>;

// Filled before the server starts, then only read.
//
//   router.add(Method::kGet, "/v1/users/{uid}/presence", handler);
//
// {name} stands for one segment, never an empty one; segments are decoded one by one, so an escaped slash
// stays inside its segment. Among several fitting patterns the one with the most literal segments wins. HEAD
// goes to GET's handler.
class Router {
 public:
  void add(Method method, std::string_view pattern, Handler handler, HeadCheck check = {});
  // For handlers that need not wait: a function of the request.
  template <typename F>
  void add_simple(Method method, std::string_view pattern, F f) {
    add(method, pattern, [f = std::move(f)](Request request) { return run(f, std::move(request)); });
  }

  struct NotFound {};
  struct MethodNotAllowed {
    std::string allow;  // "GET, HEAD, POST"
  };
  struct BadPath {};  // a broken escape
  struct Match {
    const Handler* handler;
    const HeadCheck* check;  // may be empty
    Fields params;
  };
  using Outcome = std::variant<Match, NotFound, MethodNotAllowed, BadPath>;
  [[nodiscard]] Outcome find(Method method, std::string_view path) const;

 private:
  struct Route {
    Method method;
    std::vector<std::string> segments;
    std::size_t literals;
    Handler handler;
    HeadCheck check;
  };
  template <typename F>
  [[nodiscard]] static net::Awaitable<Response> run(F f, Request request) {
    co_return f(request);
  }

  std::vector<Route> routes_;
};

}  // namespace hongyan::http
