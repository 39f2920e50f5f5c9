#include "tools/chat/chat.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <iostream>
#include <mutex>
#include <sstream>

#include "client/cpp/client.h"
#include "common/base/random.h"
#include "tools/chat/commands.h"
#include "tools/chat/printer.h"
#include "tools/support/api_online.h"
#include "tools/support/api_token.h"

namespace hongyan::chat {

namespace {

constexpr std::int64_t kTokenSeconds = 86'400;
constexpr int kMostOnline = 1000;
constexpr double kDefaultWaitSeconds = 30;

Milliseconds milliseconds(double seconds) { return Milliseconds(static_cast<std::int64_t>(seconds * 1000)); }

net::Awaitable<Result<std::string>> fetch(std::string api, std::string key, std::string uid) {
  return tools::fetch_token(std::move(api), std::move(key), std::move(uid), kTokenSeconds);
}

client::ClientOptions client_options(const Options& options) {
  client::ClientOptions out;
  out.app_id = options.app;
  out.uid = options.user;
  out.device_id = options.device.empty() ? random_id_text() : options.device;
  out.device_type = options.device_type;
  out.held_inbox = options.from_seq;
  out.gates = options.gates;
  out.iplist = options.iplist;
  out.transport_kind = options.transport;
  out.transport = options.transports;
  out.send_deadline = milliseconds(options.timeout_seconds);
  out.token = options.token;
  if (out.token.empty()) {
    out.token_source = [api = options.api, key = options.api_key, uid = options.user] {
      return fetch(api, key, uid);
    };
  }
  return out;
}

// One run of the program. The client's handlers run on loop_, the rest on main's thread unless it says
// otherwise.
class Chat {
 public:
  explicit Chat(const Options& options)
      : options_(options),
        printer_({.json = options.json, .quiet = options.quiet, .prompt = prompts(options)}),
        loop_("chat"),
        enough_(loop_.executor()),
        client_(client_options(options), handlers(), loop_) {}

  int run() {
    loop_.start();
    client_.start();
    const int status = options_.scripted() ? run_script() : run_interactive();
    stop();
    return kicked_ ? kExitKicked : status;
  }

 private:
  static bool prompts(const Options& options) {
    return !options.scripted() && !options.json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  }

  client::Handlers handlers() {
    return {.on_message = [this](const client::Message& message) { on_message(message); },
            .on_state = [this](client::State state, const client::Failure& why) { on_state(state, why); },
            .on_kicked = [this](const client::Kick& kick) { on_kicked(kick); }};
  }

  // The loop's thread.
  void on_message(const client::Message& message) {
    printer_.message(message);
    if (message.sent || message.own || message.kind == client::COMMAND_CTRL_SEND) return;
    ++received_;
    if (options_.wait_count && received_ >= *options_.wait_count) enough_.cancel();
  }
  void on_state(client::State state, const client::Failure& why) {
    if (state == client::State::kOnline) printer_.remark("online as " + options_.user);
    if (state == client::State::kWaiting) printer_.remark("not connected: " + why.message);
    if (state != client::State::kStopped) return;
    stopped_ = true;
    if (why.code != Code::kOk) printer_.problem("stopped: " + why.message);
    enough_.cancel();
  }
  void on_kicked(const client::Kick& kick) {
    printer_.kicked(kick);
    if (!kick.will_reconnect) kicked_ = true;
  }

  int run_script() {
    std::promise<int> done;
    loop_.spawn("chat script", script(this, &done));
    return done.get_future().get();
  }

  static net::Awaitable<> script(Chat* self, std::promise<int>* done) {
    bool ok = co_await self->send_all();
    if (self->options_.pull) {
      const Status status = co_await self->client_.pull(milliseconds(self->options_.timeout_seconds));
      if (!status) self->printer_.problem("not everything was pulled: " + status.error().message);
      ok = ok && status;
    }
    if (self->options_.wait_seconds || self->options_.wait_count) {
      const bool came = co_await self->wait();
      ok = ok && came;
    }
    done->set_value(ok ? kExitOk : kExitFailed);
  }

  net::Awaitable<bool> send_all() {
    bool ok = true;
    for (const auto& [to, what] : options_.sends) {
      const auto receipt = co_await client_.send_any(what);
      if (receipt) {
        printer_.sent(to, *receipt);
      } else {
        printer_.failed(to, receipt.error());
        ok = false;
      }
    }
    co_return ok;
  }

  // True when what was waited for came.
  net::Awaitable<bool> wait() {
    const auto until = SteadyClock::now() + milliseconds(options_.wait_seconds.value_or(kDefaultWaitSeconds));
    while (SteadyClock::now() < until && !stopped_ &&
           !(options_.wait_count && received_ >= *options_.wait_count)) {
      enough_.expires_at(until);
      net::error_code ignored;
      co_await enough_.async_wait(net::await(ignored));
    }
    co_return !stopped_ && (!options_.wait_count || received_ >= *options_.wait_count);
  }

  int run_interactive() {
    if (!options_.json) printer_.remark("type bob;;hello to send, :help for more");
    printer_.prompt();
    for (std::string line; !left_ && std::getline(std::cin, line);) {
      obey(line);
      if (!left_) printer_.prompt();
    }
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [this] { return unanswered_ == 0; });
    return failed_ ? kExitFailed : kExitOk;
  }

  // Counts what is not answered yet, so that the end of input waits for it.
  template <typename F>
  auto answer(F on_answer) {
    const std::scoped_lock lock(mutex_);
    ++unanswered_;
    return [this, on_answer = std::move(on_answer)](auto result) mutable {
      const bool ok = on_answer(std::move(result));
      const std::scoped_lock inner(mutex_);
      failed_ = failed_ || !ok;
      --unanswered_;
      answered_.notify_all();
    };
  }

  void obey(const std::string& line) {
    if (line.empty()) return;
    auto command = parse_command(line);
    if (!command) return printer_.problem(command.error().message);
    std::visit([this](auto& known) { obey(known); }, *command);
  }

  void obey(PullCommand& /*command*/) {
    client_.pull(milliseconds(options_.timeout_seconds), answer([this](Status status) {
                   printer_.remark(status ? "that is all" : "not everything: " + status.error().message);
                   return status.has_value();
                 }));
  }
  void obey(OnlineCommand& /*command*/) { list_online(); }
  void obey(HelpCommand& /*command*/) {
    std::istringstream help{std::string(command_help())};
    for (std::string text; std::getline(help, text);) printer_.remark(text);
  }
  void obey(QuitCommand& /*command*/) { left_ = true; }
  void obey(SendCommand& command) {
    const auto* request = std::get_if<client::GroupRequest>(&command.what);
    const auto operation = request ? std::optional(request->type) : std::nullopt;
    client_.send_any(std::move(command.what), {},
                     answer([this, to = command.target, operation](Result<client::SendReceipt> receipt) {
                       if (!receipt) {
                         printer_.failed(to, receipt.error());
                       } else if (operation) {
                         printer_.group(*operation, receipt->group);
                       } else {
                         printer_.sent(to, *receipt);
                       }
                       return receipt.has_value();
                     }));
  }
  void obey(ListCommand& command) {
    const auto type = command.request.type;
    loop_.spawn(
        "chat list",
        list(this, std::move(command.request), answer([this, type](Result<client::GroupOpResult> all) {
               if (all) {
                 printer_.group(type, *all);
               } else {
                 printer_.problem(
                     fmt::format("no list: {} {}", code_name(all.error().code), all.error().message));
               }
               return all.has_value();
             })));
  }
  // Asks for page after page.
  static net::Awaitable<> list(Chat* self, client::GroupRequest request,
                               std::function<void(Result<client::GroupOpResult>)> done) {
    client::GroupOpResult all;
    for (;;) {
      const auto page = co_await self->client_.group(request);
      if (!page) {
        done(std::unexpected(page.error()));
        co_return;
      }
      const int count = page->group.members_size() + page->group.groups_size();
      if (count == 0) break;
      all.mutable_members()->MergeFrom(page->group.members());
      all.mutable_groups()->MergeFrom(page->group.groups());
      request.op.set_offset(request.op.offset() + count);
    }
    done(std::move(all));
  }

  void list_online() {
    if (options_.api.empty() || options_.api_key.empty()) {
      return printer_.problem("who is online tells the server API: start with --api URL and --api-key KEY");
    }
    loop_.spawn("chat online",
                online(this, answer([this](Result<tools::OnlineUsers> users) {
                         if (users) {
                           printer_.online(users->uids, users->more);
                         } else {
                           printer_.problem("who is online is not known: " + users.error().message);
                         }
                         return users.has_value();
                       })));
  }
  static net::Awaitable<> online(Chat* self, std::function<void(Result<tools::OnlineUsers>)> done) {
    done(co_await tools::fetch_online(self->options_.api, self->options_.api_key, kMostOnline));
  }

  void stop() {
    std::promise<void> done;
    loop_.spawn("chat stop", say_goodbye(this, &done));
    done.get_future().wait();
  }
  static net::Awaitable<> say_goodbye(Chat* self, std::promise<void>* done) {
    co_await self->client_.stop();
    done->set_value();
  }

  const Options& options_;
  Printer printer_;
  std::int64_t received_ = 0;  // on the loop
  std::atomic<bool> stopped_{false};
  std::atomic<bool> kicked_{false};
  std::mutex mutex_;
  std::condition_variable answered_;
  bool left_ = false;    // main's thread
  int unanswered_ = 0;   // mutex_
  bool failed_ = false;  // mutex_
  net::EventLoop loop_;
  net::Timer enough_;  // on the loop
  client::Client client_;
};

}  // namespace

int run_chat(const Options& options) { return Chat(options).run(); }

}  // namespace hongyan::chat
