// POSTs over one HTTP connection that stays open.
#pragma once

#include <functional>
#include <memory>
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

  explicit HttpCaller(net::EventLoop& loop);
  ~HttpCaller();

  // host must be an address. Errors: kBadRequest, kUnavailable.
  [[nodiscard]] net::Awaitable<Status> connect(http::Url url, std::string api_key);
  // After connect(), before the first post(). Neither is called after close().
  void run(OnResponse on_response, OnLost on_lost);
  // Only when no answer is awaited.
  void post(std::string_view body);
  void close();

 private:
  struct Input;  // keeps Beast's parser out of this header
  void read();
  void lost(const std::string& why);

  net::TcpSocket socket_;
  std::string head_ = {};  // of every request, up to the length
  std::string request_ = {};
  std::unique_ptr<Input> input_;
  OnResponse on_response_;
  OnLost on_lost_;
  bool closed_ = false;
};

}  // namespace hongyan::bench
