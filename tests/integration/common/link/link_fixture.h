// Two ends of links on loopback, each on a loop of its own.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <vector>

#include "common/link/link_client.h"
#include "common/link/link_server.h"

namespace hongyan::link {

inline constexpr Milliseconds kPatience{10000};

// Remembers what happens, from any number of links.
class Recorder : public LinkHandler {
 public:
  struct Received {
    LinkPtr link;
    LinkCommand command;
    std::uint32_t seq;
    std::string payload;
  };

  void on_link_up(const LinkPtr& link) override {
    const std::lock_guard lock(mutex_);
    up_.push_back(link);
    ++ups_;
    changed_.notify_all();
  }
  void on_link_packets(const LinkPtr& link, std::span<const LinkPacket> packets) override {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& packet : packets) {
        packets_.push_back({link, packet.command, packet.seq, std::string(packet.payload)});
      }
      changed_.notify_all();
    }
    if (!echo) return;
    for (const auto& packet : packets) {
      EXPECT_TRUE(link->send(LINK_COMMAND_RESPONSE, packet.seq, 0, ClientResponse(), packet.payload));
    }
  }
  void on_link_down(const LinkPtr& link) override {
    const std::lock_guard lock(mutex_);
    std::erase(up_, link);
    ++downs_;
    changed_.notify_all();
  }

  template <typename Done>
  [[nodiscard]] bool wait(Done done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, done);
  }
  [[nodiscard]] LinkPtr wait_up(int count = 1) {
    if (!wait([this, count] { return ups_ >= count && !up_.empty(); })) return nullptr;
    const std::lock_guard lock(mutex_);
    return up_.back();
  }
  [[nodiscard]] bool wait_downs(int count) {
    return wait([this, count] { return downs_ >= count; });
  }
  [[nodiscard]] bool wait_packets(std::size_t count) {
    return wait([this, count] { return packets_.size() >= count; });
  }
  [[nodiscard]] std::vector<Received> packets() {
    const std::lock_guard lock(mutex_);
    return packets_;
  }
  [[nodiscard]] int ups() {
    const std::lock_guard lock(mutex_);
    return ups_;
  }

  std::atomic<bool> echo{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<LinkPtr> up_;
  std::vector<Received> packets_;
  int ups_ = 0;
  int downs_ = 0;
};

class LinkFixture : public testing::Test {
 protected:
  LinkFixture() {
    server_loop.start();
    client_loop.start();
  }
  ~LinkFixture() override {
    if (client) client->stop();
    if (server) server->stop();
    for (net::EventLoop* loop : {&client_loop, &server_loop}) {
      loop->stop();
      loop->join();
    }
  }

  std::uint16_t start_server(const LinkServerOptions& options = {}, std::uint16_t port = 0) {
    auto started = LinkServer::start({&server_loop}, "127.0.0.1", port, logic, server_side, options);
    EXPECT_TRUE(started.has_value()) << started.error().message;
    server = std::move(*started);
    return server->port();
  }
  // Its port refuses when this returns.
  void stop_server() { server->stop(); }
  void start_client(std::uint16_t port, LinkOptions options = {}) {
    client = LinkClient::start(client_loop, {"127.0.0.1", port}, gate, client_side, 3, options);
  }

  Identity gate{.role = ROLE_GATE, .node_id = "gate-1", .boot_id = 11, .secret = "the secret"};
  Identity logic{.role = ROLE_LOGIC, .node_id = "logic-1", .boot_id = 22, .secret = "the secret"};
  net::EventLoop server_loop{"server"};
  net::EventLoop client_loop{"client"};
  Recorder server_side;  // after the loops: they keep links
  Recorder client_side;
  std::shared_ptr<LinkServer> server;
  std::shared_ptr<LinkClient> client;
};

}  // namespace hongyan::link
