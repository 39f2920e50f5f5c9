#include "logic/redis/client.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/log/log.h"

namespace hongyan::logic {

namespace {
constexpr Milliseconds kFirstDelay{100};
constexpr Milliseconds kLongestDelay{500};
using Descriptor = net::asio::posix::basic_stream_descriptor<net::Executor>;

// What Redis's error codes mean for who runs it. Inside a script's error they stand in its midst.
std::string words_of(std::string_view error) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kKnown = {
      {{"OOM ", "Redis is out of memory and evicts nothing"},
       {"READONLY ", "Redis is a read-only replica"},
       {"NOAUTH ", "Redis asks for a password"},
       {"WRONGPASS ", "Redis refuses the password"},
       {"invalid password", "Redis refuses the password"},
       {"NOPERM ", "Redis does not permit the commands to this user"},
       {"LOADING ", "Redis is loading its data"},
       {"MISCONF ", "Redis cannot save its data and takes no writes"},
       {"MASTERDOWN ", "Redis is a replica without its master"},
       {"BUSY ", "a script keeps Redis busy"},
       {"MOVED ", "Redis is a cluster, which is not supported"},
       {"CLUSTERDOWN ", "Redis is a cluster, which is not supported"}}};
  for (const auto& [code, words] : kKnown) {
    if (error.contains(code)) return std::string(words);
  }
  return "Redis answers with an error: " + std::string(error.substr(0, 128));
}
}  // namespace

// Gives hiredis's event hooks to Asio. Owns the descriptor's registration; hiredis owns the socket and the
// context, which it frees after the disconnect callback or a failed connect callback.
class RedisClient::Adapter {
 public:
  Adapter(RedisClient& owner, redisAsyncContext* context)
      : owner_(owner), context_(context), descriptor_(owner.loop_.executor(), context->c.fd) {
    context->data = this;
    context->ev.data = this;
    context->ev.addRead = [](void* self) { static_cast<Adapter*>(self)->want(true, true); };
    context->ev.delRead = [](void* self) { static_cast<Adapter*>(self)->want(true, false); };
    context->ev.addWrite = [](void* self) { static_cast<Adapter*>(self)->want(false, true); };
    context->ev.delWrite = [](void* self) { static_cast<Adapter*>(self)->want(false, false); };
    context->ev.cleanup = [](void* self) { static_cast<Adapter*>(self)->release(); };
    redisAsyncSetConnectCallback(context, [](const redisAsyncContext* c, int status) {
      auto* self = static_cast<Adapter*>(c->data);
      if (status != REDIS_OK) self->context_ = nullptr;  // hiredis frees it
      self->owner_.connected(status == REDIS_OK, c->errstr);
    });
    redisAsyncSetDisconnectCallback(context, [](const redisAsyncContext* c, int) {
      auto* self = static_cast<Adapter*>(c->data);
      self->context_ = nullptr;
      self->owner_.disconnected(c->err != 0 ? c->errstr : "closed");
    });
  }
  ~Adapter() {
    release();
    if (context_ != nullptr) redisAsyncFree(std::exchange(context_, nullptr));
  }
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  [[nodiscard]] redisAsyncContext* context() const noexcept { return context_; }

 private:
  void release() {
    *alive_ = false;
    alive_ = std::make_shared<bool>(true);
    reading_ = writing_ = want_read_ = want_write_ = false;
    if (descriptor_.is_open()) descriptor_.release();
  }
  void want(bool read, bool on) {
    (read ? want_read_ : want_write_) = on;
    if (on) wait(read);
  }
  void wait(bool read) {
    bool& waiting = read ? reading_ : writing_;
    if (waiting || !descriptor_.is_open()) return;
    waiting = true;
    descriptor_.async_wait(read ? Descriptor::wait_read : Descriptor::wait_write,
                           [this, read, alive = alive_](net::error_code ec) {
                             if (ec || !*alive) return;
                             (read ? reading_ : writing_) = false;
                             if (!(read ? want_read_ : want_write_) || context_ == nullptr) return;
                             if (read) {
                               redisAsyncHandleRead(context_);
                             } else {
                               redisAsyncHandleWrite(context_);
                             }
                             if (*alive && (read ? want_read_ : want_write_)) wait(read);
                           });
  }

  RedisClient& owner_;
  redisAsyncContext* context_;
  Descriptor descriptor_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool reading_ = false;
  bool writing_ = false;
  bool want_read_ = false;
  bool want_write_ = false;
};

RedisClient::RedisClient(net::EventLoop& loop, RedisConfig config)
    : loop_(loop),
      config_(std::move(config)),
      timer_(loop.executor()),
      backoff_(kFirstDelay, kLongestDelay, random_) {}

RedisClient::~RedisClient() { stopped_ = true; }

std::shared_ptr<RedisClient> RedisClient::start(net::EventLoop& loop, RedisConfig config) {
  std::shared_ptr<RedisClient> client(new RedisClient(loop, std::move(config)));
  loop.post([weak = std::weak_ptr(client)] {
    if (const auto self = weak.lock()) {
      self->connect();
      self->watch();
    }
  });
  return client;
}

void RedisClient::stop() {
  loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->stopped_ = true;
      self->timer_.cancel();
      self->adapter_.reset();
    }
  });
}

void RedisClient::connect() {
  if (stopped_) return;
  adapter_.reset();
  redisAsyncContext* context = redisAsyncConnect(config_.address.host.c_str(), config_.address.port);
  if (context == nullptr || context->err != 0) {
    if (context != nullptr) redisAsyncFree(context);
    return disconnected("cannot connect");
  }
  adapter_ = std::make_unique<Adapter>(*this, context);
  oldest_sent_ = SteadyClock::now();
  if (!config_.password.empty()) command({"AUTH", config_.password});
}

void RedisClient::connected(bool ok, const char* reason) {
  if (!ok) return disconnected(reason);
  backoff_.reset();
  connected_.store(true, std::memory_order_relaxed);
  log::info("redis", "connected host={} port={}", config_.address.host, config_.address.port);
}

std::string RedisClient::trouble() const {
  if (!connected()) return "Redis is away";
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void RedisClient::refused(std::string_view error) {
  errors_.fetch_add(1, std::memory_order_relaxed);
  std::string words = words_of(error);
  const std::lock_guard lock(mutex_);
  if (words == trouble_) return;
  log::warn("redis", "refuses host={} port={} reason=\"{}\"", config_.address.host, config_.address.port,
            words);
  trouble_ = std::move(words);
}

void RedisClient::works() {
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) return;
  log::info("redis", "works again host={} port={} errors={}", config_.address.host, config_.address.port,
            errors() - std::exchange(logged_errors_, errors()));
  trouble_.clear();
}

void RedisClient::disconnected(const char* reason) {
  if (stopped_) return;
  if (connected_.exchange(false, std::memory_order_relaxed) || backoff_.fresh()) {
    log::warn("redis", "away host={} port={} reason={}", config_.address.host, config_.address.port,
              log::quoted(reason));
  }
  timer_.expires_after(backoff_.next());
  timer_.async_wait([weak = weak_from_this()](net::error_code ec) {
    const auto self = weak.lock();
    if (self && !ec) self->connect();
  });
}

// hiredis 0.14 has no timeouts of its own.
void RedisClient::watch() {
  loop_.spawn("redis watch", [](std::weak_ptr<RedisClient> weak) -> net::Awaitable<> {
    for (;;) {
      co_await net::sleep_for(Milliseconds(250));
      const auto self = weak.lock();
      if (!self || self->stopped_) co_return;
      const bool stuck = SteadyClock::now() - self->oldest_sent_ > self->config_.command_timeout;
      const bool waiting = self->in_flight_ > 0 || (self->adapter_ && !self->connected());
      if (self->adapter_ && self->adapter_->context() != nullptr && waiting && stuck) {
        self->adapter_.reset();
        self->disconnected("timeout");
      }
    }
  }(weak_from_this()));
}

void RedisClient::command(const std::vector<std::string_view>& words, Done done) {
  redisAsyncContext* context = adapter_ ? adapter_->context() : nullptr;
  if (context == nullptr || in_flight_ >= config_.max_in_flight) {
    if (done) done(fail(Code::kUnavailable, "Redis is away"));
    return;
  }
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const auto word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  struct Pending {
    RedisClient* client;
    Done done;
  };
  auto* pending = new Pending{.client = this, .done = std::move(done)};
  const auto answered = [](redisAsyncContext*, void* raw, void* data) {
    const std::unique_ptr<Pending> mine(static_cast<Pending*>(data));
    --mine->client->in_flight_;
    mine->client->oldest_sent_ = SteadyClock::now();
    const auto* reply = static_cast<const redisReply*>(raw);
    if (reply != nullptr && reply->type == REDIS_REPLY_ERROR) mine->client->refused({reply->str, reply->len});
    if (!mine->done) return;
    if (reply == nullptr) return mine->done(fail(Code::kUnavailable, "Redis went away"));
    if (reply->type == REDIS_REPLY_ERROR) return mine->done(fail(Code::kInternal, "Redis refuses"));
    if (reply->type == REDIS_REPLY_INTEGER) return mine->done(std::to_string(reply->integer));
    if (reply->str == nullptr) return mine->done(std::string());
    mine->done(std::string(reply->str, reply->len));
  };
  if (in_flight_++ == 0) oldest_sent_ = SteadyClock::now();
  if (redisAsyncCommandArgv(context, answered, pending, static_cast<int>(words.size()), texts.data(),
                            sizes.data()) != REDIS_OK) {
    --in_flight_;
    if (pending->done) pending->done(fail(Code::kUnavailable, "Redis is away"));
    delete pending;
  }
}

}  // namespace hongyan::logic
