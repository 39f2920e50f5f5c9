#include "common/base/random.h"
#include "common/config/schema.h"
#include "iplist/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>

#include "common/auth/token.h"
#include "common/http/client.h"
#include "common/link/membership.h"
#include "tests/support/run_on.h"
#include "tests/support/temp_folder.h"

namespace hongyan::iplist {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::seconds kPatience{10};
constexpr const char* kSecret = "the secret of this test's cluster";

link::Identity identity(link::Role role, const std::string& name, const std::string& secret = kSecret) {
  return {.role = role, .node_id = name, .boot_id = random_id(), .secret = secret};
}

link::Heartbeat heartbeat(const std::string& transport, std::uint32_t port) {
  link::Heartbeat heartbeat;
  auto& endpoint = *heartbeat.add_endpoints();
  endpoint.set_transport(transport);
  endpoint.set_host("127.0.0.1");
  endpoint.set_port(port);
  return heartbeat;
}

// A gate or logic node as iplist sees it.
class Node {
 public:
  Node(std::uint16_t iplist, link::Identity identity, link::Heartbeat beat)
      : identity_(std::move(identity)),
        membership_(std::make_unique<link::Membership>(
            loop_, identity_,
            link::Membership::Options{
                .iplists = {{.node_id = "", .boot_id = 0, .endpoint = {"127.0.0.1", iplist}}},
                .fixed_nodes = {},
                .interval = Milliseconds(50)},
            [beat] { return beat; },
            [this](const std::vector<link::Member>& members) { on_members(members); })) {
    loop_.start();
    loop_.post([this] { membership_->start(); });
  }
  ~Node() {
    loop_.stop();
    loop_.join();
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // False: not within the test's patience.
  bool wait_for_logic_nodes(const std::vector<std::string>& names) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return logic_nodes_ == names; });
  }
  void leave() { membership_->stop(); }

 private:
  void on_members(const std::vector<link::Member>& members) {
    const std::scoped_lock lock(mutex_);
    logic_nodes_.clear();
    for (const auto& member : members) logic_nodes_.push_back(member.node_id);
    changed_.notify_all();
  }

  const link::Identity identity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> logic_nodes_;
  net::EventLoop loop_{"node"};
  std::unique_ptr<link::Membership> membership_;
};

// Sends a heartbeat of its own making once the link is up, and tells when the link has ended.
class Liar : public link::LinkHandler {
 public:
  explicit Liar(link::Heartbeat beat) : beat_(std::move(beat)) {}
  void on_link_up(const link::LinkPtr& link) override {
    static_cast<void>(link->send(link::LINK_COMMAND_HEARTBEAT, 0, 0, beat_));
  }
  void on_link_packets(const link::LinkPtr&, std::span<const link::LinkPacket>) override { answered = true; }
  void on_link_down(const link::LinkPtr&) override {
    if (!std::exchange(told_, true)) down.set_value();
  }

  std::promise<void> down;
  std::atomic<bool> answered{false};

 private:
  const link::Heartbeat beat_;
  bool told_ = false;
};

class IplistTest : public ::testing::Test {
 protected:
  IplistTest() {
    loop_.start();
    config_.common.cluster.secret = kSecret;
    config_.clients = {.host = "127.0.0.1", .port = 0};
    config_.heartbeats = {.host = "127.0.0.1", .port = 0};
    start();
  }

  // Anew, with the configuration as it then is.
  void start() {
    daemon_.reset();
    auto started = App::start(config_, context_);
    EXPECT_TRUE(started) << started.error().message;
    if (started) daemon_ = std::move(*started);
  }

  [[nodiscard]] App& app() { return dynamic_cast<App&>(*daemon_); }
  [[nodiscard]] std::string url(const std::string& path) {
    return "http://127.0.0.1:" + std::to_string(app().clients_port()) + path;
  }
  [[nodiscard]] http::ClientResponse get(const std::string& path) {
    auto response = test::run_on(loop_, http::get(url(path)));
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : http::ClientResponse{};
  }
  [[nodiscard]] http::ClientResponse post(const std::string& path, const std::string& body) {
    auto response = test::run_on(loop_, http::post(url(path), body));
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : http::ClientResponse{};
  }
  [[nodiscard]] http::ClientResponse ask(const std::string& query) { return get("/v1/gates" + query); }
  // Asks until the status comes.
  [[nodiscard]] http::ClientResponse ask_until(const std::string& query, int status) {
    const auto end = SteadyClock::now() + kPatience;
    for (;;) {
      auto response = ask(query);
      if (response.status == status || SteadyClock::now() > end) return response;
    }
  }

  metrics::Registry registry_;
  metrics::Health health_;
  net::StopSignals signals_;
  daemon::Context context_{.metrics = registry_, .health = health_, .signals = signals_};
  IplistConfig config_;
  net::EventLoop loop_{"test"};
  std::unique_ptr<daemon::Daemon> daemon_;
};

TEST_F(IplistTest, AnswersUnavailableWhileItKnowsNoGate) {
  const auto response = ask("?app_id=demo&uid=alice");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.header("Retry-After"), "1");
  EXPECT_THAT(response.body, HasSubstr("UNAVAILABLE"));
}

TEST_F(IplistTest, RefusesBadQuestions) {
  for (const std::string query : {"?limit=0", "?limit=21", "?limit=x", "?limit=", "?limit=-1", "?limit=3x",
                                  "?transport=udp", "?transport=", "?app_id=a%00b", "?uid=%zz"}) {
    EXPECT_EQ(ask(query).status, 400) << query;
  }
  EXPECT_EQ(ask("?app_id=" + std::string(65, 'a')).status, 400);
  EXPECT_EQ(ask("?uid=" + std::string(129, 'a')).status, 400);
}

TEST_F(IplistTest, TellsClientsOfGates) {
  Node gate(app().heartbeats_port(), identity(link::ROLE_GATE, "gate-1"), heartbeat("tcp", 7000));
  const auto response = ask_until("?app_id=demo&uid=alice&transport=tcp&limit=3", 200);
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"gates":[{"host":"127.0.0.1","port":7000,"transport":"tcp"}],"ttl_seconds":60})");
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(ask("?transport=wss").status, 503);
  gate.leave();  // its last heartbeat says that it is draining
  EXPECT_EQ(ask_until("", 503).status, 503);
}

TEST_F(IplistTest, ForgetsAGateThatIsKilled) {
  auto gate = std::make_unique<Node>(app().heartbeats_port(), identity(link::ROLE_GATE, "gate-1"),
                                     heartbeat("tcp", 7000));
  ASSERT_EQ(ask_until("", 200).status, 200);
  gate.reset();
  EXPECT_EQ(ask_until("", 503).status, 503);
}

TEST_F(IplistTest, TellsDaemonsOfLogicNodes) {
  Node gate(app().heartbeats_port(), identity(link::ROLE_GATE, "gate-1"), heartbeat("tcp", 7000));
  Node first(app().heartbeats_port(), identity(link::ROLE_LOGIC, "logic-1"), heartbeat("", 7100));
  EXPECT_TRUE(gate.wait_for_logic_nodes({"logic-1"}));
  Node second(app().heartbeats_port(), identity(link::ROLE_LOGIC, "logic-2"), heartbeat("", 7110));
  EXPECT_TRUE(gate.wait_for_logic_nodes({"logic-1", "logic-2"}));
  EXPECT_TRUE(first.wait_for_logic_nodes({"logic-1", "logic-2"}));
  const auto report = health_.report();
  EXPECT_EQ(report.checks.at("logic").state, metrics::HealthState::kOk);
}

TEST_F(IplistTest, ListensToNobodyWithoutTheSecret) {
  Node stranger(app().heartbeats_port(), identity(link::ROLE_GATE, "gate-9", "another secret entirely"),
                heartbeat("tcp", 7000));
  Node honest(app().heartbeats_port(), identity(link::ROLE_LOGIC, "logic-1"), heartbeat("", 7100));
  EXPECT_TRUE(honest.wait_for_logic_nodes({"logic-1"}));
  EXPECT_EQ(ask("").status, 503);
}

TEST_F(IplistTest, ClosesLinksWhoseHeartbeatsSpeakForAnotherNode) {
  const auto self = identity(link::ROLE_GATE, "gate-1");
  auto forged = heartbeat("tcp", 7000);
  forged.set_role(link::ROLE_GATE);
  forged.set_node_id("gate-2");
  forged.set_boot_id(self.boot_id);
  Liar liar(forged);
  net::EventLoop loop("liar");
  loop.start();
  auto client = link::LinkClient::start(loop, {"127.0.0.1", app().heartbeats_port()}, self, liar);
  EXPECT_EQ(liar.down.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(liar.answered);
  client->stop();
  loop.stop();
  loop.join();
  EXPECT_EQ(ask("").status, 503);
  EXPECT_THAT(registry_.text(), ::testing::Not(HasSubstr("hongyan_iplist_bad_heartbeats_total 0\n")));
}

TEST_F(IplistTest, SaysWhichPortIsInUse) {
  auto config = config_;
  config.clients.port = app().clients_port();
  const auto second = App::start(config, context_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("listen.clients: 127.0.0.1:"));
}

TEST_F(IplistTest, StopsWithinASecond) {
  Node gate(app().heartbeats_port(), identity(link::ROLE_GATE, "gate-1"), heartbeat("tcp", 7000));
  ASSERT_EQ(ask_until("", 200).status, 200);
  const auto begin = SteadyClock::now();
  daemon_->stop();
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds(1));
}

TEST(IplistConfigTest, DefaultsAreValidButForTheSecret) {
  IplistConfig config;
  config::Schema schema;
  bind(schema, config);
  EXPECT_THAT(schema.load_text("[cluster]\nsecret = \"0123456789abcdef\"\n", "f.toml"), ::testing::IsEmpty());
  EXPECT_EQ(config.common.metrics.listen.port, 9102);
}

TEST_F(IplistTest, ServesThePageBesideItsAnswers) {
  const testing::TempFolder folder;
  std::ofstream(folder.file("index.html")) << "<p>the page";
  EXPECT_EQ(get("/").status, 404);
  config_.web_root = folder.path().string();
  start();
  const auto page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<p>the page");
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(std::string(page.header("Content-Security-Policy").value_or("")),
              HasSubstr("script-src 'self'"));
  EXPECT_EQ(get("/..%2f..%2fetc/passwd").status, 404);
  EXPECT_EQ(ask("").status, 503);
  std::filesystem::remove_all(folder.path());
  const auto failed = App::start(config_, context_);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("web.root"));
}

TEST_F(IplistTest, GivesDemoTokensOnlyInDevelopment) {
  constexpr const char* kTokenSecret = "the secret of this test's tokens";
  config_.demo = {.app_id = "demo", .token_secret = kTokenSecret};
  start();
  EXPECT_EQ(post("/demo/token", R"({"uid":"alice"})").status, 404);
  config_.common.dev = true;
  config_.demo.token_secret = "";
  start();
  EXPECT_EQ(post("/demo/token", R"({"uid":"alice"})").status, 404);

  config_.demo.token_secret = kTokenSecret;
  start();
  const auto response = post("/demo/token", R"({"uid":"鸿雁"})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.header("Cache-Control"), "no-store");
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), std::nullopt);
  const auto answer = nlohmann::json::parse(response.body);
  EXPECT_EQ(answer.at("app_id"), "demo");
  const auth::JwtTokens tokens({{.app_id = "demo", .secret = kTokenSecret}});
  const auto expires = tokens.verify("demo", "鸿雁", answer.at("token").get<std::string>());
  ASSERT_TRUE(expires) << expires.error().message;
  EXPECT_NEAR(static_cast<double>(*expires), answer.at("expires_at").get<double>(), 2'000);

  for (const std::string body : {"", "{}", "[]", R"({"uid":7})", R"({"uid":""})", R"({"uid":"a","x":1})",
                                 R"({"uid":"a\u0000"})", "{\"uid\":\"\xff\"}"}) {
    EXPECT_EQ(post("/demo/token", body).status, 400) << body;
  }
  EXPECT_EQ(post("/demo/token", R"({"uid":")" + std::string(129, 'a') + R"("})").status, 400);
  EXPECT_EQ(post("/demo/token", std::string(5'000, ' ')).status, 413);
  EXPECT_EQ(get("/demo/token").status, 405);
}

}  // namespace
}  // namespace hongyan::iplist
