#include "common/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "common/http/client.h"
#include "tests/support/raw_client.h"
#include "tests/support/run_on.h"

namespace hongyan::http {
namespace {

using test::RawClient;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A handler that waits until the test lets it go on.
struct Gate {
  std::promise<void> entered;
  std::atomic<bool> open{false};
};

net::Awaitable<Response> wait_for(Gate* gate, Request) {
  gate->entered.set_value();
  while (!gate->open.load()) co_await net::sleep_for(Milliseconds(1));
  Response response;
  response.body = "released";
  co_return response;
}

net::Awaitable<Response> throw_up(Request) {
  throw std::runtime_error("boom");
  co_return Response{};
}

std::string join(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += name + "=" + value + ";";
  return out;
}

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() { loop_.start(); }
  ~HttpServerTest() override {
    gate_.open = true;
    if (server_) server_->stop_and_wait(Milliseconds(2000));
  }

  void serve(Limits limits = {}) {
    Router router;
    router.add_simple(Method::kGet, "/hello", [](const Request& request) {
      Response response;
      response.body = "hello " + join(request.query);
      return response;
    });
    router.add_simple(Method::kPost, "/echo", [](const Request& request) {
      Response response;
      response.content_type = "application/octet-stream";
      response.body = request.body;
      return response;
    });
    router.add_simple(Method::kGet, "/v1/users/{uid}/presence", [](const Request& request) {
      Response response;
      response.body = request.param("uid");
      return response;
    });
    router.add(
        Method::kPost, "/guarded",
        [](Request request) -> net::Awaitable<Response> { co_return Response{.body = request.body}; },
        [](const Request& request) -> Status {
          if (request.header("Authorization")) return {};
          return fail(Code::kUnauthenticated, "who are you?");
        });
    router.add_simple(Method::kDelete, "/none", [](const Request&) { return Response{.status = 204}; });
    router.add(Method::kGet, "/wait",
               [this](Request request) { return wait_for(&gate_, std::move(request)); });
    router.add(Method::kGet, "/throw", throw_up);
    auto server = Server::start(loop_, "127.0.0.1", 0, std::move(router), limits);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  [[nodiscard]] std::uint16_t port() const { return server_->local_port(); }
  [[nodiscard]] std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(port()) + std::string(path);
  }
  // One exchange on a connection of its own, until the server closes it.
  [[nodiscard]] std::string exchange(std::string_view bytes) const {
    RawClient client(port());
    client.send(bytes);
    std::string answer = client.read_all();
    EXPECT_TRUE(client.closed());
    return answer;
  }

  Gate gate_;  // the loop's coroutines refer to it
  net::EventLoop loop_{"http-test"};
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServerTest, AnswersRequests) {
  serve();
  const auto response = test::run_on(loop_, get(url("/hello?a=1%202&b=+")));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello a=1 2;b= ;");
  EXPECT_EQ(response->header("content-type"), "application/json");
}

TEST_F(HttpServerTest, DecodesPathParameters) {
  serve();
  EXPECT_EQ(test::run_on(loop_, get(url("/v1/users/a%2Fb%20%E4%BD%A0/presence")))->body, "a/b 你");
  EXPECT_EQ(test::run_on(loop_, get(url("/v1/users/%zz/presence")))->status, 400);
  EXPECT_EQ(test::run_on(loop_, get(url("/hello?x=%4")))->status, 400);
}

TEST_F(HttpServerTest, TakesBodiesToTheBit) {
  serve();
  std::string body;
  for (int i = 0; i < 300'000; ++i) body += static_cast<char>(i);
  const auto response = test::run_on(loop_, post(url("/echo"), body));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, body);
}

TEST_F(HttpServerTest, TakesChunkedBodies) {
  serve();
  EXPECT_THAT(
      exchange("POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
               "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
      EndsWith("\r\n\r\nabcde"));
}

TEST_F(HttpServerTest, AnswersUnknownPathsAndWrongMethods) {
  serve();
  const auto missing = test::run_on(loop_, get(url("/nothing")));
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->body, R"({"error":{"code":"NOT_FOUND","message":"no such path"}})");
  const auto wrong = test::run_on(loop_, post(url("/hello"), "x"));
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->header("Allow"), "GET, HEAD");
  EXPECT_THAT(exchange("BREW /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  serve();
  RawClient client(port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\nGET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_response(true), HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nhello "));
}

TEST_F(HttpServerTest, KeepsConnectionsOpen) {
  serve();
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client.read_response(), HasSubstr("Connection: keep-alive\r\n"));
  }
  client.send("DELETE /none HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              StartsWith("HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n"));
  client.send("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_response(), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(client.read_all(), "");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, ClosesAfterHttp10) {
  serve();
  EXPECT_THAT(exchange("GET /hello HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\nhello "));
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  serve();
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += "GET /hello?n=" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  RawClient client(port());
  client.send(requests);
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(client.read_response(), EndsWith("hello n=" + std::to_string(i) + ";"));
  }
}

TEST_F(HttpServerTest, RefusesHugeHeaders) {
  serve();
  EXPECT_THAT(exchange("GET /hello HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(exchange("GET /" + std::string(200'000, 'a')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, RefusesHugeBodies) {
  serve({.max_body_bytes = 1000});
  EXPECT_THAT(exchange("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(exchange("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(exchange("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                       std::string(1001, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(test::run_on(loop_, post(url("/echo"), std::string(1000, 'x')))->status, 200);
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttp) {
  serve();
  for (const std::string_view bytes :
       {"nonsense\r\n\r\n", "GET /hello HTTP/9.9\r\n\r\n", "GET /hello HTTP/1.1\r\nBad Header\r\n\r\n",
        "GET hello HTTP/1.1\r\nHost: h\r\n\r\n", "GET /hello HTTP/1.1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"}) {
    EXPECT_THAT(exchange(bytes), StartsWith("HTTP/1.1 400 ")) << bytes;
  }
}

TEST_F(HttpServerTest, RefusesSlowHeadersAndBodies) {
  serve({.header_deadline = Milliseconds(50), .body_deadline = Milliseconds(50)});
  EXPECT_THAT(exchange(""), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(exchange("GET /hello HT"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(exchange("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"),
              StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, ClosesIdleConnections) {
  serve({.idle_timeout = Milliseconds(50)});
  RawClient client(port());
  client.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(client.read_all(), "");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, RefusesConnectionsBeyondItsLimit) {
  serve({.max_connections = 1});
  RawClient first(port());
  first.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  gate_.entered.get_future().wait();
  EXPECT_THAT(exchange("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  gate_.open = true;
  EXPECT_THAT(first.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, AFullServerClosesWhoHasBeenIdleLongest) {
  serve({.max_connections = 2});
  RawClient said_nothing(port());
  RawClient between(port());
  between.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(between.read_response(), StartsWith("HTTP/1.1 200 "));
  RawClient third(port());
  third.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(third.read_response(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(said_nothing.read_all(), "");
  EXPECT_TRUE(said_nothing.closed());
  RawClient fourth(port());
  fourth.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(fourth.read_response(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(between.read_all(), "");
}

TEST_F(HttpServerTest, OneAddressPushesOutItsOwnOnly) {
  serve({.max_connections = 100, .max_per_address = 3});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(clients.back()->read_response(), StartsWith("HTTP/1.1 200 "));
  }
  for (int i = 0; i < 7; ++i) EXPECT_EQ(clients[i]->read_all(), "");
  for (int i = 7; i < 10; ++i) {
    clients[i]->send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(clients[i]->read_response(), StartsWith("HTTP/1.1 200 "));
  }
}

TEST_F(HttpServerTest, RefusesAtTheHeaderWithoutReadingTheBody) {
  serve({.body_deadline = Milliseconds(60'000)});
  const std::string head = " HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n";
  // No byte of the body is sent: whoever waited for it would wait a minute.
  EXPECT_THAT(exchange("POST /guarded" + head + "\r\n"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(exchange("POST /nowhere" + head + "\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(exchange("POST /hello" + head + "Expect: 100-continue\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  RawClient client(port());
  client.send("POST /guarded HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(client.read_response(),
              StartsWith("HTTP/1.1 401 "));  // nothing follows: the connection goes on
  client.send("POST /guarded HTTP/1.1\r\nHost: h\r\nAuthorization: me\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nabc"));
}

TEST_F(HttpServerTest, NeverTakesABodyForARequest) {
  serve();
  const std::string inside = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const char* header :
       {"Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:", "Content-Length: 37, 37", "Host: other", "Authorization: a\r\nAuthorization: b",
        "Transfer-Encoding: chunked\r\nContent-Length: 37"}) {
    const std::string answer =
        exchange(std::string("POST /echo HTTP/1.1\r\nHost: h\r\n") + header + "\r\n\r\n" + inside);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << header;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << header << ": " << answer;
  }
}

TEST_F(HttpServerTest, AsksForTheBodyWhenTheClientWaitsForIt) {
  serve();
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nabc"));
}

TEST_F(HttpServerTest, AnswersForHandlersThatThrow) {
  serve();
  RawClient client(port());
  client.send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\nGET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, LetsARunningRequestEndWhenStopped) {
  serve();
  RawClient idle(port());
  idle.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(idle.read_response(), StartsWith("HTTP/1.1 200 "));
  RawClient busy(port());
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  gate_.entered.get_future().wait();
  std::promise<void> stopped;
  server_->stop(Milliseconds(10'000), [&stopped] { stopped.set_value(); });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(RawClient(port()).connected());
  gate_.open = true;
  EXPECT_THAT(busy.read_all(), EndsWith("Connection: close\r\n\r\nreleased"));
  stopped.get_future().wait();
}

TEST_F(HttpServerTest, ClosesWhatRunsLongerThanTheDrain) {
  serve();
  RawClient busy(port());
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  gate_.entered.get_future().wait();
  server_->stop_and_wait(Milliseconds(20));
  EXPECT_EQ(busy.read_all(), "");
  EXPECT_TRUE(busy.closed());
}

TEST_F(HttpServerTest, SaysThatAPortIsInUse) {
  serve();
  const auto second = Server::start(loop_, "127.0.0.1", port(), Router{});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
}

TEST_F(HttpServerTest, ClientTellsRefusedFromTimedOut) {
  serve();
  const auto slow = test::run_on(loop_, get(url("/wait"), Milliseconds(30)));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Code::kDeadlineExceeded);
  const std::string gone = url("/hello");
  gate_.open = true;
  server_->stop_and_wait(Milliseconds(2000));
  const auto refused = test::run_on(loop_, get(gone));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace hongyan::http
