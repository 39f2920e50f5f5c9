// POSTs over one HTTP connection that stays open.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/http/client.h"
#include "common/net/event_loop.h"

namespace hongyan::bench {

// One request at a time; no deadline of its own. Its loop only.
class HttpCaller : public std::enable_shared_from_this<HttpCaller> {
 public:
  using OnResponse = std::function<void(int status, const std::string& body)>;
  using OnLost = std::function<void(std::string why)>;

  explicit HttpCaller(net::EventLoop& loop) : socket_(loop.executor()) {}

  // host must be an address. Errors: kBadRequest, kUnavailable.
  [[nodiscard]] net::Awaitable<Status> connect(http::Url url, std::string api_key);
  // After connect(), before the first post(). Neither is called after close().
  void run(OnResponse on_response, OnLost on_lost);
  // Only when no answer is awaited.
  void post(std::string_view body);
  void close();

 private:
  void read();
  void take_response();
  void lost(const std::string& why);

  net::TcpSocket socket_;
  std::string head_ = {};  // of every request, up to the length
  std::string request_ = {};
  std::string input_ = {};  // received and not yet taken
  OnResponse on_response_;
  OnLost on_lost_;
  bool closed_ = false;
};

// The whole response at the beginning of `bytes`. Only those with a Content-Length are understood, which
// is how Hongyan answers.
struct HttpResponse {
  int status = 0;
  std::string body;
  std::size_t bytes = 0;  // of the response in the input
};
// Nothing: more bytes are needed. Error: kInternal.
[[nodiscard]] Result<std::optional<HttpResponse>> parse_response(std::string_view bytes);

}  // namespace hongyan::bench
