#include "tools/chat/options.h"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "common/base/text.h"
#include "common/base/version.h"
#include "tools/chat/commands.h"
#include "tools/support/cluster_env.h"

namespace hongyan::chat {

namespace {

constexpr const char* kWhere = "Where to (or --env alone)";
constexpr const char* kWho = "Who";
constexpr const char* kScript =
    "For scripts (without these, lines are read: bob;;hello, #12;;hello, :g create weekend bob carol; :help "
    "tells all)";
constexpr const char* kFooter = "Exit status: 0 all went well, 1 not, 2 bad usage, 3 kicked out.";

// The value, or the error as CLI11 wants it.
template <typename T>
T value_or_throw(const std::string& option, Result<T> result) {
  if (!result) throw CLI::ValidationError(option, result.error().message);
  return std::move(*result);
}

Result<std::string> file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "cannot read " + path);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

// Not named in the help at each number.
CLI::Validator not_negative() { return CLI::Validator(CLI::NonNegativeNumber).description(""); }

std::string environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

// Declares the options, and puts what they leave out.
class Parser {
 public:
  Parser() : app_("Sends and receives messages of one user.", "hongyan-chat") {
    app_.footer(kFooter);
    declare_where();
    declare_who();
    declare_script();
    app_.set_version_flag("--version", std::string("hongyan-chat ") + version());
  }

  Result<Options> parse(std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);  // as CLI11 takes them
    try {
      app_.parse(std::move(arguments));
      complete();
    } catch (const CLI::CallForHelp&) {
      options_.help = app_.help();
    } catch (const CLI::CallForVersion& e) {
      options_.help = std::string(e.what()) + "\n";
    } catch (const CLI::ParseError& e) {
      return fail(Code::kBadRequest, e.what());
    }
    return std::move(options_);
  }

 private:
  using Values = std::vector<std::string>;

  // f is called at each use, in the order of the command line; what begins with a dash is a value too.
  CLI::Option* each(const std::string& name, int values, const std::string& help,
                    std::function<void(const Values&)> f) {
    CLI::callback_t call = [f = std::move(f)](const Values& given) {
      f(given);
      return true;
    };
    return app_.add_option(name, std::move(call), help)
        ->type_size(values)
        ->allow_extra_args(false)
        ->trigger_on_parse();
  }

  void declare_where() {
    each("--env", 1, "What deploy/dev-cluster wrote: the four below, and the app", [this](const Values& v) {
      env_ = value_or_throw("--env", tools::read_settings(v[0]));
    })->type_name("FILE");
    each("--iplist", 1, "Ask this directory for gates; repeatable", [this](const Values& v) {
      options_.iplist.push_back(v[0]);
    })->type_name("URL");
    each("--gate", 1, "A gate; repeatable", [this](const Values& v) {
      add_gate(v[0]);
    })->type_name("HOST:PORT");
    app_.add_flag("--tls", tls_, "By TLS");
    app_.add_flag("--ws", ws_, "By WebSocket; with --tls by WebSocket over TLS (default: TCP)");
    app_.add_option("--ca", ca_file_,
                    "Whose certificates are trusted (PEM; default: --env's, else the system's)")
        ->type_name("FILE");
    app_.add_option("--api", options_.api, "Get tokens from this server API, with --api-key")
        ->type_name("URL");
    app_.add_option("--api-key", options_.api_key, "Its key (better: HONGYAN_API_KEY in the environment)")
        ->type_name("KEY");
    app_.add_option("--token", options_.token,
                    "Or with this token (better: HONGYAN_TOKEN in the environment)")
        ->type_name("TOKEN");
    group(kWhere);
  }

  void declare_who() {
    static const std::map<std::string, client::DeviceType> device_types = {
        {"ios", client::DEVICE_TYPE_IOS},           {"android", client::DEVICE_TYPE_ANDROID},
        {"web", client::DEVICE_TYPE_WEB},           {"windows", client::DEVICE_TYPE_WINDOWS},
        {"macos", client::DEVICE_TYPE_MACOS},       {"linux", client::DEVICE_TYPE_LINUX},
        {"mini", client::DEVICE_TYPE_MINI_PROGRAM}, {"unknown", client::DEVICE_TYPE_UNKNOWN}};
    app_.add_option("--user", options_.user)->type_name("NAME");
    app_.add_option("--app", app_name_, "(default \"default\")")->type_name("NAME");
    app_.add_option("--device", options_.device, "(default: a new one)")->type_name("ID");
    app_.add_option("--device-type", options_.device_type,
                    "ios, android, web, windows, macos, linux, mini (default linux)")
        ->transform(CLI::CheckedTransformer(device_types).description(""));
    app_.add_option("--from-seq", options_.from_seq,
                    "I hold my inbox up to N (default: what the server knows as acknowledged)")
        ->type_name("N")
        ->check(not_negative());
    group(kWho);
  }

  void declare_script() {
    sends("--send", "TO TEXT",
          "Repeatable, sent in this order; exit status 0 only when all were acknowledged",
          [](const std::string& to, std::string text) {
            return Options::Send{to, client::ToUser{to, std::move(text)}};
          });
    sends("--send-group", "GROUP TEXT", "The same to a group, by its number; words \"@bob\" mention bob",
          [](const std::string& to, std::string text) {
            const auto group_id = value_or_throw("--send-group", parse_group_id(to));
            return Options::Send{"#" + std::to_string(group_id), group_text(group_id, std::move(text))};
          });
    sends("--upload", "DEST TEXT", "The same to a business service (C2S) instead of a user",
          [](const std::string& to, std::string text) {
            return Options::Send{to, client::ToService{to, std::move(text)}};
          });
    each("--content-file", 1, "The text of every one of these that has \"-\" as its text",
         [this](const Values& v) { content_ = value_or_throw("--content-file", file_bytes(v[0])); })
        ->type_name("FILE");
    app_.add_flag("--pull", options_.pull, "Pull everything stored, then go on");
    app_.add_option("--wait", options_.wait_seconds, "Receive for so long")
        ->type_name("SECONDS")
        ->check(not_negative());
    app_.add_option(
            "--wait-count", options_.wait_count,
            "Until N messages came, not counting changes of groups and what this client sent to them (exit "
            "status 1 when they do not within --wait, default 30)")
        ->type_name("N")
        ->check(not_negative());
    app_.add_option("--timeout", options_.timeout_seconds, "For each send and pull (default 30)")
        ->type_name("SECONDS")
        ->check(not_negative());
    app_.add_flag("--json", options_.json, "One JSON object a line");
    app_.add_flag("--quiet", options_.quiet, "No remarks");
    app_.add_flag("--verbose", options_.verbose, "Log lines of the client");
    group(kScript);
  }

  // What was declared since the last call.
  void group(const char* name) {
    for (CLI::Option* option : app_.get_options()) {
      if (option->get_group() == "Options" && option != app_.get_help_ptr()) option->group(name);
    }
  }

  // --NAME TO TEXT and --NAME-file TO FILE.
  void sends(const std::string& name, const std::string& values, const std::string& help,
             Options::Send (*make)(const std::string& to, std::string text)) {
    each(name, 2, help, [this, make](const Values& v) {
      if (v[1] == "-") from_file_.push_back(options_.sends.size());
      options_.sends.push_back(make(v[0], v[1]));
    })->type_name(values);
    const std::string of_file = name + "-file";
    each(of_file, 2, "The same with a file's bytes", [this, make, of_file](const Values& v) {
      options_.sends.push_back(make(v[0], value_or_throw(of_file, file_bytes(v[1]))));
    })->type_name(values.substr(0, values.find(' ')) + " FILE");
  }

  void add_gate(const std::string& text) {
    auto gate = parse_endpoint(text);
    if (gate && gate->port == 0) gate = fail(Code::kBadRequest, "a gate listens on a port from 1 to 65535");
    options_.gates.push_back(value_or_throw("--gate", std::move(gate)));
  }

  void set_content(client::Outgoing& what) {
    if (auto* group = std::get_if<client::ToGroup>(&what)) *group = group_text(group->group_id, *content_);
    if (auto* user = std::get_if<client::ToUser>(&what)) user->content = *content_;
    if (auto* service = std::get_if<client::ToService>(&what)) service->content = *content_;
  }

  void choose_transport() {
    using enum client::TransportKind;
    options_.transport = ws_ ? (tls_ ? kWss : kWs) : (tls_ ? kTls : kTcp);
    if (ca_file_.empty()) ca_file_ = tools::setting(env_, "HONGYAN_CA");
    options_.transports = value_or_throw("--ca", client::make_transports(options_.transport, ca_file_));
  }

  void take_from_environment() {
    using tools::setting;
    if (options_.gates.empty() && options_.iplist.empty()) {
      options_.iplist = tools::words(setting(env_, "HONGYAN_IPLIST"));
      const auto gates = tools::words(setting(env_, tools::gates_setting(to_string(options_.transport))));
      for (const auto& gate : gates) add_gate(gate);
    }
    if (options_.token.empty()) options_.token = environment("HONGYAN_TOKEN");
    if (options_.api.empty()) options_.api = setting(env_, "HONGYAN_API");
    if (options_.api_key.empty()) options_.api_key = setting(env_, "HONGYAN_API_KEY");
    if (options_.api_key.empty()) options_.api_key = environment("HONGYAN_API_KEY");
    if (!app_name_) app_name_ = setting(env_, "HONGYAN_APP");
    if (!app_name_->empty()) options_.app = *app_name_;
  }

  void complete() {
    choose_transport();
    take_from_environment();
    if (content_) {
      for (const std::size_t index : from_file_) set_content(options_.sends[index].what);
    }
    if (options_.user.empty()) throw CLI::RequiredError("--user NAME");
    if (options_.gates.empty() && options_.iplist.empty()) {
      throw CLI::ParseError("where to? --env FILE, --iplist URL or --gate HOST:PORT",
                            CLI::ExitCodes::RequiredError);
    }
    if (options_.token.empty() && options_.api.empty()) {
      throw CLI::ParseError("a token is needed: --token, or --api and --api-key, or --env FILE",
                            CLI::ExitCodes::RequiredError);
    }
  }

  CLI::App app_;
  Options options_;
  tools::Settings env_;
  bool tls_ = false;
  bool ws_ = false;
  std::string ca_file_;
  std::optional<std::string> app_name_;
  std::optional<std::string> content_;
  std::vector<std::size_t> from_file_;
};

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) { return Parser().parse(arguments); }

}  // namespace hongyan::chat
