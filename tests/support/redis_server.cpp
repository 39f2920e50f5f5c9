#include "tests/support/redis_server.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/support/server_process.h"

namespace hongyan::testing {

RedisServer::RedisServer() : port_(free_port()) {}

void RedisServer::start(const std::vector<std::string>& more_options) {
  std::vector<std::string> command = {
      "redis-server",         "--port", std::to_string(port_), "--bind", "127.0.0.1", "--save", "", "--dir",
      folder_.path().string()};
  command.insert(command.end(), more_options.begin(), more_options.end());
  // Debian's redis-tools carries the server's program under this name; it goes by argv[0].
  pid_ = launch(command, folder_.file("log"), "redis-check-rdb");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (;;) {
    try {
      static_cast<void>(this->command({"PING"}));
      return;
    } catch (const std::runtime_error&) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > deadline) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void RedisServer::lose_folder() { std::filesystem::remove_all(folder_.path()); }

void RedisServer::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string RedisServer::command(const std::vector<std::string>& words) {
  const std::unique_ptr<redisContext, decltype(&redisFree)> context(redisConnect("127.0.0.1", port_),
                                                                    &redisFree);
  if (!context || context->err != 0) throw std::runtime_error("no Redis");
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const auto& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  const auto free_reply = [](redisReply* reply) { freeReplyObject(reply); };
  const std::unique_ptr<redisReply, decltype(free_reply)> reply(
      static_cast<redisReply*>(
          redisCommandArgv(context.get(), static_cast<int>(words.size()), texts.data(), sizes.data())),
      free_reply);
  if (!reply) throw std::runtime_error("Redis went away");
  if (reply->type == REDIS_REPLY_INTEGER) return std::to_string(reply->integer);
  return reply->str == nullptr ? std::string() : std::string(reply->str, reply->len);
}

}  // namespace hongyan::testing
