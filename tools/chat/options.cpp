#include "tools/chat/options.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tools/chat/commands.h"
#include "tools/support/cluster_env.h"

namespace hongyan::chat {

namespace {

constexpr std::string_view kUsage = R"(usage: hongyan-chat --user NAME [options]

Where to (or --env alone):
  --env FILE            what deploy/dev-cluster wrote: the four below, and the app
  --iplist URL          ask this directory for gates; repeatable
  --gate HOST:PORT      a gate; repeatable
  --tls, --ws           by TLS, by WebSocket, with both by WebSocket over TLS (default: TCP)
  --ca FILE             whose certificates are trusted (PEM; default: --env's, else the system's)
  --api URL             get tokens from this server API, with
  --api-key KEY         its key (better: HONGYAN_API_KEY in the environment)
  --token TOKEN         or with this token (better: HONGYAN_TOKEN in the environment)
Who:
  --user NAME, --app NAME (default "default"), --device ID (default: a new one),
  --device-type ios|android|web|windows|macos|linux|mini (default linux)
  --from-seq N          I hold my inbox up to N (default: what the server knows as acknowledged)
For scripts (without these, lines are read: bob;;hello, #12;;hello, :g create weekend bob carol; :help tells all):
  --send TO TEXT        repeatable, sent in this order; exit status 0 only when all were acknowledged
  --send-file TO FILE   the same with a file's bytes
  --send-group GROUP TEXT, --send-group-file GROUP FILE
                        the same to a group, by its number; words "@bob" mention bob
  --upload DEST TEXT, --upload-file DEST FILE
                        the same to a business service (C2S) instead of a user
  --content-file FILE   the text of every one of these that has "-" as its text
  --pull                pull everything stored, then go on
  --wait SECONDS        receive for so long
  --wait-count N        until N messages came, not counting changes of groups and what this client sent to
                        them (exit status 1 when they do not within --wait, default 30)
  --timeout SECONDS     for each send and pull (default 30)
  --json                one JSON object a line
  --quiet               no remarks; --verbose: log lines of the client
Exit status: 0 all went well, 1 not, 2 bad usage, 3 kicked out.
)";

template <typename T>
Result<T> number(const std::string& name, const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return fail(Code::kBadRequest, name + " takes a number, not \"" + text + "\"");
  }
  return value;
}

Result<std::string> file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "cannot read " + path);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

Result<client::DeviceType> device_type(const std::string& text) {
  static const std::vector<std::pair<std::string, client::DeviceType>> kNames = {
      {"ios", client::DEVICE_TYPE_IOS},           {"android", client::DEVICE_TYPE_ANDROID},
      {"web", client::DEVICE_TYPE_WEB},           {"windows", client::DEVICE_TYPE_WINDOWS},
      {"macos", client::DEVICE_TYPE_MACOS},       {"linux", client::DEVICE_TYPE_LINUX},
      {"mini", client::DEVICE_TYPE_MINI_PROGRAM}, {"unknown", client::DEVICE_TYPE_UNKNOWN}};
  for (const auto& [name, type] : kNames) {
    if (name == text) return type;
  }
  return fail(Code::kBadRequest, "unknown device type \"" + text + "\"");
}

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  Result<Options> parse() {
    while (next_ < arguments_.size()) {
      const std::string name = arguments_[next_++];
      if (Status status = flag(name) ? Status{} : option(name); !status)
        return std::unexpected(status.error());
    }
    if (options_.help) return std::move(options_);
    if (Status status = complete(); !status) return std::unexpected(status.error());
    return std::move(options_);
  }

 private:
  bool flag(const std::string& name) {
    if (name == "--json") return options_.json = true;
    if (name == "--pull") return options_.pull = true;
    if (name == "--tls") return tls_ = true;
    if (name == "--ws") return ws_ = true;
    if (name == "--quiet") return options_.quiet = true;
    if (name == "--verbose") return options_.verbose = true;
    if (name == "--help" || name == "-h") return options_.help = true;
    return false;
  }

  Result<std::string> value(const std::string& name) {
    if (next_ >= arguments_.size()) return fail(Code::kBadRequest, name + " needs a value");
    return arguments_[next_++];
  }

  // Takes the value of a Result, or remembers its error.
  template <typename T, typename Target>
  void take(Result<T> result, Target& target) {
    if (result) {
      target = std::move(*result);
    } else {
      error_ = result.error();
    }
  }

  Status option(const std::string& name) {
    auto first = value(name);
    if (!name.starts_with("--")) return fail(Code::kBadRequest, "not understood: " + name);
    if (!first) return std::unexpected(first.error());
    if (name.starts_with("--send") || name.starts_with("--upload")) return add_send(name, *first);
    if (name == "--gate") return add_gate(*first);
    error_ = {.code = Code::kOk, .message = {}};
    if (name == "--env")
      take(tools::read_settings(*first), env_);
    else if (name == "--ca")
      ca_file_ = *first;
    else if (name == "--iplist")
      options_.iplist.push_back(*first);
    else if (name == "--api")
      options_.api = *first;
    else if (name == "--api-key")
      options_.api_key = *first;
    else if (name == "--token")
      options_.token = *first;
    else if (name == "--app")
      app_ = *first;
    else if (name == "--user")
      options_.user = *first;
    else if (name == "--device")
      options_.device = *first;
    else if (name == "--device-type")
      take(device_type(*first), options_.device_type);
    else if (name == "--from-seq")
      take(number<std::int64_t>(name, *first), options_.from_seq);
    else if (name == "--wait")
      take(number<double>(name, *first), options_.wait_seconds);
    else if (name == "--wait-count")
      take(number<std::int64_t>(name, *first), options_.wait_count);
    else if (name == "--timeout")
      take(number<double>(name, *first), options_.timeout_seconds);
    else if (name == "--content-file")
      take(file_bytes(*first), content_);
    else
      return fail(Code::kBadRequest, "unknown option " + name);
    if (error_.code != Code::kOk) return std::unexpected(error_);
    return {};
  }

  Status add_send(std::string name, const std::string& to) {
    auto text = value(name);
    if (!text) return std::unexpected(text.error());
    constexpr std::string_view kFile = "-file";
    if (name.ends_with(kFile)) {
      text = file_bytes(*text);
      if (!text) return std::unexpected(text.error());
      name.erase(name.size() - kFile.size());
    } else if (*text == "-") {
      from_file_.push_back(options_.sends.size());
    }
    if (name == "--send") {
      options_.sends.push_back({to, client::ToUser{to, std::move(*text)}});
    } else if (name == "--upload") {
      options_.sends.push_back({to, client::ToService{to, std::move(*text)}});
    } else if (name == "--send-group") {
      const auto group_id = parse_group_id(to);
      if (!group_id) return std::unexpected(group_id.error());
      options_.sends.push_back({"#" + std::to_string(*group_id), group_text(*group_id, std::move(*text))});
    } else {
      return fail(Code::kBadRequest, "unknown option " + name);
    }
    return {};
  }

  void set_content(client::Outgoing& what) {
    if (auto* group = std::get_if<client::ToGroup>(&what)) *group = group_text(group->group_id, *content_);
    if (auto* user = std::get_if<client::ToUser>(&what)) user->content = *content_;
    if (auto* service = std::get_if<client::ToService>(&what)) service->content = *content_;
  }

  Status add_gate(const std::string& text) {
    auto gate = client::parse_endpoint(text);
    if (!gate) return fail(Code::kBadRequest, "--gate: " + gate.error().message);
    options_.gates.push_back(std::move(*gate));
    return {};
  }

  static std::string environment(const char* name) {
    const char* text = std::getenv(name);
    return text ? text : "";
  }

  Status choose_transport() {
    using enum client::TransportKind;
    options_.transport = ws_ ? (tls_ ? kWss : kWs) : (tls_ ? kTls : kTcp);
    if (ca_file_.empty()) ca_file_ = tools::setting(env_, "HONGYAN_CA");
    auto transports = client::make_transports(options_.transport, ca_file_);
    if (!transports) return fail(transports.error().code, "--ca: " + transports.error().message);
    options_.transports = std::move(*transports);
    return {};
  }

  Status complete() {
    using tools::setting;
    if (Status status = choose_transport(); !status) return status;
    if (content_) {
      for (const std::size_t index : from_file_) set_content(options_.sends[index].what);
    }
    if (options_.gates.empty() && options_.iplist.empty()) {
      options_.iplist = tools::words(setting(env_, "HONGYAN_IPLIST"));
      for (const auto& gate :
           tools::words(setting(env_, tools::gates_setting(to_string(options_.transport))))) {
        if (Status status = add_gate(gate); !status) return status;
      }
    }
    if (options_.token.empty()) options_.token = environment("HONGYAN_TOKEN");
    if (options_.api.empty()) options_.api = setting(env_, "HONGYAN_API");
    if (options_.api_key.empty()) options_.api_key = setting(env_, "HONGYAN_API_KEY");
    if (options_.api_key.empty()) options_.api_key = environment("HONGYAN_API_KEY");
    if (!app_) app_ = setting(env_, "HONGYAN_APP");
    if (!app_->empty()) options_.app = *app_;
    if (options_.user.empty()) return fail(Code::kBadRequest, "--user NAME is missing");
    if (options_.gates.empty() && options_.iplist.empty()) {
      return fail(Code::kBadRequest, "where to? --env FILE, --iplist URL or --gate HOST:PORT");
    }
    if (options_.token.empty() && options_.api.empty()) {
      return fail(Code::kBadRequest, "a token is needed: --token, or --api and --api-key, or --env FILE");
    }
    return {};
  }

  const std::vector<std::string>& arguments_;
  std::size_t next_ = 0;
  Options options_;
  Error error_;
  tools::Settings env_;
  bool tls_ = false;
  bool ws_ = false;
  std::string ca_file_;
  std::optional<std::string> app_;
  std::optional<std::string> content_;
  std::vector<std::size_t> from_file_;
};

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) { return Parser(arguments).parse(); }

std::string_view usage() noexcept { return kUsage; }

}  // namespace hongyan::chat
