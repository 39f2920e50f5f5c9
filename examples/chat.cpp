// A chat on a terminal: a line "bob: hello" is sent to bob, what comes is shown.
//
//   HONGYAN_TOKEN=… example-chat alice http://127.0.0.1:7200
#include <cstdlib>
#include <future>
#include <iostream>

#include "client/cpp/client.h"

using namespace hongyan::client;
using hongyan::Result;

namespace {

void show(const Message& message) {
  if (message.kind == COMMAND_C2C_SEND) {
    std::cout << message.from << ": " << message.content << std::endl;
  }
}

void show_state(State state, const Failure& reason) {
  std::cerr << "* " << to_string(state) << ' ' << reason.message << std::endl;
}

// Waits until the server has stored it. A co_await on an event loop does the same (echo_bot.cpp).
Result<SendReceipt> send(Client& client, std::string to, std::string text) {
  std::promise<Result<SendReceipt>> answer;
  client.send(std::move(to), std::move(text), {},
              [&](Result<SendReceipt> receipt) { answer.set_value(std::move(receipt)); });
  return answer.get_future().get();
}

}  // namespace

int main(int argc, char** argv) {
  const char* token = std::getenv("HONGYAN_TOKEN");
  if (argc != 3 || token == nullptr) {
    std::cerr << "usage: HONGYAN_TOKEN=… example-chat UID IPLIST\n";
    return 2;
  }
  ClientOptions options;
  options.app_id = "demo";
  options.uid = argv[1];
  options.iplist = {argv[2]};
  options.token = token;
  Client client(options, {.on_message = show, .on_state = show_state});
  client.start();

  for (std::string line; std::getline(std::cin, line);) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) {
      std::cerr << "* as in \"bob: hello\"" << std::endl;
      continue;
    }
    const auto receipt = send(client, line.substr(0, colon), line.substr(colon + 2));
    if (!receipt) std::cerr << "* not sent: " << receipt.error().message << std::endl;
  }
}
