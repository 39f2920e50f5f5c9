#include "tools/bench/options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

#include "common/base/version.h"
#include "tools/bench/measure/content.h"

namespace hongyan::bench {

namespace {

constexpr std::size_t kOpenLoopWindow = 64;  // as many as a gate takes of one session
constexpr int kMostSeconds = 86'400;
constexpr double kPullSeconds = 300;

struct Parser {
  CLI::App app{"hongyan-bench: load on a running cluster, and what it costs the servers.", "hongyan-bench"};
  Arguments out = {};
  bool quiet = false;
  bool progress = false;

  CLI::App* command(const std::string& name, const std::string& text) {
    CLI::App* const sub = app.add_subcommand(name, text);
    sub->add_option("--env", out.env, "What deploy/dev-cluster wrote")->required()->type_name("FILE");
    sub->add_option_function<std::string>(
           "--transport",
           [this](const std::string& name) { out.transport = protocol::parse_transport(name).value(); },
           "tcp (default), tls, ws, wss: how the clients connect")
        ->check(CLI::IsMember(
            std::vector<std::string>(protocol::kTransportNames.begin(), protocol::kTransportNames.end())));
    sub->add_flag("--json", out.json, "The result as one JSON object");
    sub->add_flag("--progress", progress, "A line a second, though standard error is no terminal");
    sub->add_flag("--quiet", quiet, "No progress lines");
    return sub;
  }

  template <typename T>
  static CLI::Option* number(CLI::App* sub, const std::string& name, T& value, double least, double most,
                             const std::string& text) {
    return sub->add_option(name, value, text)->check(CLI::Range(least, most))->capture_default_str();
  }

  static void seconds(CLI::App* sub, double& value) {
    number(sub, "--seconds", value, 0.1, kMostSeconds, "Measured");
  }

  static void warm_up(CLI::App* sub, double& value) {
    number(sub, "--warmup", value, 0, kMostSeconds, "Seconds before that");
  }

  static void size(CLI::App* sub, std::size_t& value) {
    number(sub, "--size", value, Content::kLeastSize, 1 << 20, "Bytes of content");
  }

  static void loops(CLI::App* sub, int& value) {
    number(sub, "--loops", value, 1, 64, "Threads of the generator");
  }

  // What the loads of messages have in common.
  static void load(CLI::App* sub, LoadOptions& load) {
    seconds(sub, load.seconds);
    loops(sub, load.loops);
    warm_up(sub, load.warm_up_seconds);
    number(sub, "--window", load.window, 1, 4096, "Messages under way of each sender; with --rate 64");
    size(sub, load.size);
    number(sub, "--rate", load.rate, 0, 1e6,
           "Messages a second of all senders, whatever the answers do (open loop): latency counts from the "
           "intended "
           "time. 0: as fast as answers come (closed loop)");
    number(sub, "--backlog", load.backlog, 1, 1e8, "With --rate: late messages at a time; more are left out");
  }
};

// The sub-commands and their options.
class Commands {
 public:
  explicit Commands(Parser& parser) : parser_(parser) {
    make_c2c();
    make_c2s();
    make_s2c();
    make_group();
    make_login();
    make_idle();
    make_pull();
    make_rows();
  }

  // After parsing: the options of the sub-command that was given. progress: whether it is wanted.
  [[nodiscard]] decltype(Arguments::bench) chosen(bool progress) {
    settle(c2c_.load, *c2c_command_, progress);
    settle(c2s_.load, *c2s_command_, progress);
    settle(s2c_.load, *s2c_command_, progress);
    settle(group_.load, *group_command_, progress);
    login_.load.progress = progress;
    idle_.load.progress = progress;
    pull_.load.progress = progress;
    rows_.progress = progress;
    if (c2s_command_->parsed()) return c2s_;
    if (s2c_command_->parsed()) return s2c_;
    if (group_command_->parsed()) return group_;
    if (login_command_->parsed()) return login_;
    if (idle_command_->parsed()) return idle_;
    if (pull_command_->parsed()) return pull_;
    if (rows_command_->parsed()) return rows_;
    return c2c_;
  }

 private:
  static void settle(LoadOptions& load, const CLI::App& command, bool progress) {
    load.progress = progress;
    if (load.rate > 0 && command.count("--window") == 0) load.window = kOpenLoopWindow;
  }

  void make_c2c() {
    c2c_command_ = parser_.command("c2c", "Pairs of users, all online, send messages");
    Parser::number(c2c_command_, "--pairs", c2c_.pairs, 1, 5'000, "Senders, with a receiver each");
    Parser::number(c2c_command_, "--heavy-senders", c2c_.heavy_senders, 0, 100,
                   "More of them that send as fast as they can; the others are measured without them first");
    c2c_command_->add_option("--heavy-window", c2c_.heavy_window, "Messages that each of those has under way")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    Parser::load(c2c_command_, c2c_.load);
  }

  void make_c2s() {
    c2s_command_ = parser_.command("c2s", "Users upload to a business service (needs Kafka)");
    Parser::number(c2s_command_, "--users", c2s_.users, 1, 10'000, "Senders");
    c2s_command_->add_option("--destination", c2s_.destination, "The service")->capture_default_str();
    Parser::load(c2s_command_, c2s_.load);
  }

  void make_s2c() {
    s2c_.load.window = 1;
    s2c_command_ = parser_.command("s2c", "Business services send to users who are online");
    Parser::number(s2c_command_, "--services", s2c_.services, 1, 1'000,
                   "HTTP connections, one call at a time each");
    Parser::number(s2c_command_, "--targets", s2c_.targets, 1, 1'000,
                   "Users of each service; a call goes to all");
    Parser::load(s2c_command_, s2c_.load);
  }

  void make_group() {
    group_command_ = parser_.command("group", "Members of groups, all online, send messages to all");
    Parser::number(group_command_, "--groups", group_.groups, 1, 1'000, "A multiple of --loops");
    Parser::number(group_command_, "--members", group_.members, 1, 15'000, "Of each group");
    Parser::number(group_command_, "--senders", group_.senders, 1, 15'000, "Of each group's members");
    Parser::load(group_command_, group_.load);
  }

  void make_login() {
    login_command_ = parser_.command("login", "Users log in and out again and again");
    Parser::number(login_command_, "--connections", login_.connections, 1, 10'000, "At once");
    Parser::number(login_command_, "--users", login_.users, 1, 1'000'000, "Different users, in turn");
    Parser::seconds(login_command_, login_.load.seconds);
    Parser::warm_up(login_command_, login_.load.warm_up_seconds);
    Parser::loops(login_command_, login_.load.loops);
  }

  void make_idle() {
    idle_command_ = parser_.command("idle", "Users are online and silent but for heartbeats");
    Parser::number(idle_command_, "--connections", idle_.connections, 1, 200'000, "Users");
    Parser::number(idle_command_, "--heartbeat", idle_.heartbeat, 0, kMostSeconds,
                   "Seconds between heartbeats of a connection; 0: as the login's answer says");
    Parser::seconds(idle_command_, idle_.load.seconds);
    Parser::loops(idle_command_, idle_.load.loops);
  }

  void make_pull() {
    pull_.load.seconds = kPullSeconds;
    pull_command_ = parser_.command("pull", "Fills a user's inbox, then reads all of it from the beginning");
    Parser::number(pull_command_, "--messages", pull_.messages, 1, 10'000'000, "In the inbox");
    Parser::number(pull_command_, "--devices", pull_.devices, 1, 5, "Of the user, each reads all");
    Parser::number(pull_command_, "--page", pull_.page, 1, 200, "Messages asked for at a time");
    Parser::size(pull_command_, pull_.load.size);
    pull_command_->add_option("--reuse", pull_.reuse,
                              "`run` of an earlier report: its inbox, with as many messages");
    Parser::number(pull_command_, "--seconds", pull_.load.seconds, 0.1, kMostSeconds,
                   "At most, for filling and for reading each");
    Parser::loops(pull_command_, pull_.load.loops);
  }

  void make_rows() {
    rows_command_ = parser_.command("rows", "Multi-row INSERTs on the cluster's MariaDB, without Hongyan");
    Parser::number(rows_command_, "--seconds", rows_.seconds, 0.1, kMostSeconds, "For each number of rows");
    Parser::size(rows_command_, rows_.size);
  }

  Parser& parser_;
  C2cOptions c2c_;
  C2sOptions c2s_;
  S2cOptions s2c_;
  GroupOptions group_;
  LoginOptions login_;
  IdleOptions idle_;
  PullOptions pull_;
  RowsOptions rows_;
  CLI::App* c2c_command_ = nullptr;
  CLI::App* c2s_command_ = nullptr;
  CLI::App* s2c_command_ = nullptr;
  CLI::App* group_command_ = nullptr;
  CLI::App* login_command_ = nullptr;
  CLI::App* idle_command_ = nullptr;
  CLI::App* pull_command_ = nullptr;
  CLI::App* rows_command_ = nullptr;
};

}  // namespace

std::expected<Arguments, Usage> parse_arguments(std::vector<std::string> words, bool on_terminal) {
  Parser parser;
  parser.app.set_version_flag("--version", std::string("hongyan-bench ") + version());
  parser.app.require_subcommand(1);
  parser.app.footer("Exit status: 0 nothing lost, doubled, changed or out of order; 1 else; 2 bad usage.");
  Commands commands(parser);
  std::ranges::reverse(words);  // as CLI11 wants them
  try {
    parser.app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    std::ostringstream good;
    std::ostringstream bad;
    const int status = parser.app.exit(error, good, bad) == 0 ? 0 : 2;
    return std::unexpected(Usage{status, good.str() + bad.str()});
  }
  Arguments out = std::move(parser.out);
  out.bench = commands.chosen((on_terminal || parser.progress) && !parser.quiet);
  return out;
}

}  // namespace hongyan::bench
