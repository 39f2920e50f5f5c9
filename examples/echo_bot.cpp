// A bot that answers each message once, however often either side is restarted.
//
//   HONGYAN_TOKEN=… example-echo-bot parrot http://127.0.0.1:7200
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>

#include "client/cpp/client.h"

using namespace hongyan::client;
namespace net = hongyan::net;

namespace {

// Coroutines of the client's loop; parameters by value, for the message is gone when they resume.
net::Awaitable<> answer(Client* client, Message message) {
  // A second answer to the same message has the same id, and is stored once.
  const SendOptions once{.client_msg_id = "echo-" + std::to_string(message.msg_id)};
  const auto receipt = co_await client->send(message.from, "you said: " + message.content, once);
  if (!receipt) std::cerr << "not answered: " << receipt.error().message << std::endl;
}

net::Awaitable<> say_goodbye(Client* client, std::promise<void>* done) {
  co_await client->stop();
  done->set_value();
}

// Blocked before the first thread begins, so that none of them gets it.
sigset_t block_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

}  // namespace

int main(int argc, char** argv) {
  const char* token = std::getenv("HONGYAN_TOKEN");
  if (argc != 3 || token == nullptr) {
    std::cerr << "usage: HONGYAN_TOKEN=… example-echo-bot UID IPLIST\n";
    return 2;
  }
  const sigset_t signals = block_end_signals();
  net::EventLoop loop("bot");
  ClientOptions options;
  options.app_id = "demo";
  options.uid = argv[1];
  options.iplist = {argv[2]};
  options.token = token;
  Client client(options,
                {.on_message =
                     [&](const Message& message) {
                       if (message.kind != COMMAND_C2C_SEND || message.from == options.uid) return;
                       loop.spawn("answer", answer(&client, message));
                     }},
                loop);
  loop.start();
  client.start();

  int signal = 0;
  sigwait(&signals, &signal);
  std::promise<void> done;
  loop.spawn("goodbye", say_goodbye(&client, &done));
  done.get_future().wait();
}
