// Runs client/scenarios/*.json, what the clients of all languages do alike (client/scenarios/README.md).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "client/cpp/core.h"
#include "tests/unit/client/json_body.h"

namespace hongyan::client {
namespace {

using nlohmann::json;

constexpr std::size_t kFewestScenarios = 15;

std::string without_prefix(const std::string& name, std::string_view prefix) {
  EXPECT_TRUE(name.starts_with(prefix)) << name;
  return name.substr(prefix.size());
}
std::string command_name(Command command) { return without_prefix(Command_Name(command), "COMMAND_"); }
Command command_named(const std::string& name) {
  Command command = COMMAND_NONE;
  if (!Command_Parse("COMMAND_" + name, &command)) throw std::invalid_argument("no command " + name);
  return command;
}

struct Bodies {
  const char* from_client;
  const char* from_server;
};
Bodies bodies_of(Command command) {
  static const std::map<Command, Bodies> known = {
      {COMMAND_AUTH, {"AuthReq", "AuthResp"}},
      {COMMAND_LOGOUT, {"LogoutReq", "LogoutResp"}},
      {COMMAND_KICKOUT, {"ErrorOnly", "Kickout"}},
      {COMMAND_NOOP, {"ErrorOnly", "ErrorOnly"}},
      {COMMAND_C2S, {"C2SReq", "C2SResp"}},
      {COMMAND_S2C, {"PushAck", "S2CPush"}},
      {COMMAND_C2C_SEND, {"C2CSendReq", "C2CSendResp"}},
      {COMMAND_C2C_PUSH, {"PushAck", "C2CPush"}},
      {COMMAND_C2G_SEND, {"C2GSendReq", "C2GSendResp"}},
      {COMMAND_C2G_PUSH, {"PushAck", "C2GPush"}},
      {COMMAND_PULL, {"PullReq", "PullResp"}},
      {COMMAND_SYNC_NOTIFY, {"ErrorOnly", "SyncNotify"}},
      {COMMAND_SENT_PUSH, {"PushAck", "PullMsg"}},
      {COMMAND_CTRL_SEND, {"CtrlSendReq", "CtrlSendResp"}},
      {COMMAND_CTRL_PUSH, {"PushAck", "CtrlPush"}},
  };
  return known.at(command);
}

json load(const std::filesystem::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

template <typename T>
void option(const json& value, T& into) {
  into = value.get<T>();
}
void option(const json& value, Milliseconds& into) { into = Milliseconds(value.get<std::int64_t>()); }
void option(const json& value, std::optional<std::int64_t>& into) { into = value.get<std::int64_t>(); }
void option(const json& value, GroupSeqs& into) {
  for (const auto& [group, seq] : value.items()) into[std::stoll(group)] = seq.get<std::int64_t>();
}

CoreOptions options_of(const json& fields) {
  CoreOptions o{.uid = "alice", .device_id = "d1"};
  const std::map<std::string, std::function<void(const json&)>> known = {
      {"held_inbox", [&](const json& v) { option(v, o.held_inbox); }},
      {"held_outbox", [&](const json& v) { option(v, o.held_outbox); }},
      {"held_groups", [&](const json& v) { option(v, o.held_groups); }},
      {"backlog", [&](const json& v) { option(v, o.backlog); }},
      {"receive_sent", [&](const json& v) { option(v, o.receive_sent); }},
      {"pull_limit", [&](const json& v) { option(v, o.pull_limit); }},
      {"strict_order", [&](const json& v) { option(v, o.strict_order); }},
      {"max_pending", [&](const json& v) { option(v, o.max_pending); }},
      {"max_body_bytes", [&](const json& v) { option(v, o.max_body_bytes); }},
      {"send_deadline", [&](const json& v) { option(v, o.send_deadline); }},
      {"reconnect_spread", [&](const json& v) { option(v, o.reconnect_spread); }},
      {"token_renewable", [&](const json& v) { option(v, o.token_renewable); }},
  };
  for (const auto& [name, value] : fields.items()) {
    const auto one = known.find(name);
    if (one == known.end()) throw std::invalid_argument("unknown option " + name);
    one->second(value);
  }
  return o;
}

// Plays the steps of one scenario, after those of the scenario that it follows.
class Player {
 public:
  Player(const json& scenario, const std::filesystem::path& folder)
      : core_(options_of(scenario.value("options", json::object())), [] { return 0.5; }),
        reported_(core_.held()),
        reported_groups_(core_.held_groups()) {
    if (scenario.contains("after")) {
      play(load(folder / (scenario["after"].get<std::string>() + ".json")));
    }
    play(scenario);
  }

 private:
  struct Packet {
    Command command = COMMAND_NONE;
    std::uint32_t seq = 0;
    std::string body{};
  };
  struct Happened {
    json what;
    Packet packet{};  // of "packet"
  };

  void play(const json& scenario) {
    std::size_t number = 0;
    for (const json& step : scenario["steps"]) {
      SCOPED_TRACE("step " + std::to_string(++number) + ": " + step.dump());
      act(step);
      collect();
      check(step);
      if (::testing::Test::HasFailure()) return;
    }
  }

  void act(const json& step) {
    const std::map<std::string, std::function<void(const json&)>> actions = {
        {"start", [&](const json&) { core_.start(now_); }},
        {"stop", [&](const json&) { core_.stop(now_); }},
        {"pull", [&](const json&) { core_.pull(now_); }},
        {"hurry", [&](const json&) { core_.hurry(now_); }},
        {"connected", [&](const json& token) { core_.connected(token.get<std::string>(), 1, now_); }},
        {"disconnected", [&](const json&) { core_.disconnected(failure("UNAVAILABLE"), now_); }},
        {"refuse", [&](const json& code) { core_.refuse(failure(code.get<std::string>()), now_); }},
        {"time", [&](const json& ms) { pass(Milliseconds(ms.get<std::int64_t>())); }},
        {"bytes", [&](const json& count) { core_.on_bytes(count.get<std::size_t>(), now_); }},
        {"packet", [&](const json&) { receive(step); }},
        {"send", [&](const json& f) { send(f, ToUser{f["to"], f["content"]}); }},
        {"upload", [&](const json& f) { send(f, ToService{f["destination"], f["content"]}); }},
        {"send_group",
         [&](const json& f) { send(f, ToGroup{.group_id = f["group"], .content = f["content"]}); }},
        {"group", [&](const json& f) { send(f, group_request(f)); }},
    };
    static const std::set<std::string> beside = {"answers", "body", "raw", "expect", "held", "state", "note"};
    int acted = 0;
    for (const auto& [name, value] : step.items()) {
      if (beside.contains(name)) continue;
      const auto action = actions.find(name);
      if (action == actions.end()) throw std::invalid_argument("unknown step " + name);
      action->second(value);
      ++acted;
    }
    if (acted > 1) throw std::invalid_argument("more than one thing in a step");
  }

  static Failure failure(const std::string& code) {
    ErrorCode number = ERROR_CODE_OK;
    if (!ErrorCode_Parse("ERROR_CODE_" + code, &number)) throw std::invalid_argument("no code " + code);
    return {.code = static_cast<Code>(number), .message = "as the scenario says"};
  }

  static GroupRequest group_request(const json& fields) {
    GroupRequest request{.group_id = fields.value("group", std::int64_t{0})};
    if (!CtrlType_Parse("CTRL_TYPE_" + fields["type"].get<std::string>(), &request.type)) {
      throw std::invalid_argument("no type " + fields["type"].dump());
    }
    fill(request.op, fields.value("op", json::object()));
    return request;
  }

  void send(const json& fields, Outgoing what) {
    SendOptions options{.client_msg_id = fields["id"]};
    if (fields.contains("deadline")) options.deadline = Milliseconds(fields["deadline"].get<std::int64_t>());
    send_names_.push_back(fields["id"]);
    core_.send(send_names_.size(), std::move(what), options, now_);
  }

  // To each moment at which the client wants to be called.
  void pass(Milliseconds time) {
    const SteadyTime end = now_ + time;
    while (core_.next_wake() <= end) {
      now_ = std::max(now_, core_.next_wake());
      core_.on_time(now_);
    }
    now_ = end;
  }

  void receive(const json& step) {
    const Command command = command_named(step["packet"]);
    std::string body = step.value("raw", std::string());
    if (!step.contains("raw")) {
      const auto message = new_body(bodies_of(command).from_server);
      fill(*message, step.value("body", json::object()));
      body = message->SerializeAsString();
    }
    net::Packet packet;
    packet.header = {.client_version = kClientVersion,
                     .cmd_id = static_cast<std::uint32_t>(command),
                     .seq = step.contains("answers") ? seqs_.at(step["answers"].get<std::string>()) : 0,
                     .body_length = static_cast<std::uint32_t>(body.size())};
    packet.body = body;
    core_.on_packet(packet, now_);
  }

  void collect() {
    for (const Output& output : core_.take()) {
      if (const auto* write = std::get_if<output::Write>(&output)) {
        take_packets(write->bytes);
      } else if (const auto* change = std::get_if<output::StateChanged>(&output)) {
        note({{"state", std::string(to_string(change->state))},
              {"code", std::string(code_name(change->reason.code))}});
      } else if (const auto* delivery = std::get_if<output::Deliver>(&output)) {
        note({{"message", json_of(delivery->message)}});
      } else if (const auto* kick = std::get_if<output::Kicked>(&output)) {
        note({{"kicked",
               {{"reason", without_prefix(KickReason_Name(kick->kick.reason), "KICK_REASON_")},
                {"will_reconnect", kick->kick.will_reconnect}}}});
      } else if (const auto* done = std::get_if<output::SendDone>(&output)) {
        note({{"sent", json_of(*done)}});
      } else if (const auto* held = std::get_if<output::HeldMoved>(&output)) {
        reported_.inbox = held->held.inbox;
        reported_.outbox = held->held.outbox;
      } else if (const auto* moved = std::get_if<output::GroupHeldMoved>(&output)) {
        reported_groups_[moved->group_id] = moved->held;
      } else if (std::holds_alternative<output::Connect>(output)) {
        note({{"connect", json::object()}});
      } else if (std::holds_alternative<output::Close>(output)) {
        note({{"close", json::object()}});
      } else if (std::holds_alternative<output::Synced>(output)) {
        note({{"synced", json::object()}});
      }
    }
  }

  void note(json what) { happened_.push_back({.what = std::move(what)}); }

  void take_packets(const std::string& bytes) {
    net::PacketDecoder decoder(kMaxServerBodyBytes);
    decoder.feed(bytes);
    for (auto next = decoder.next(); next && *next != nullptr; next = decoder.next()) {
      const auto command = static_cast<Command>((*next)->header.cmd_id);
      Packet packet{.command = command, .seq = (*next)->header.seq, .body = std::string((*next)->body)};
      happened_.push_back({.what = {{"packet", command_name(command)}}, .packet = packet});
      check_acknowledgement(packet);
    }
  }

  // What is acknowledged has been reported as held before.
  void check_acknowledgement(const Packet& packet) const {
    if (bodies_of(packet.command).from_client != std::string_view("PushAck")) return;
    PushAck ack;
    ASSERT_TRUE(ack.ParseFromString(packet.body));
    EXPECT_LE(ack.seq(), reported_.inbox);
    EXPECT_LE(ack.outbox_seq(), reported_.outbox);
    const auto group = reported_groups_.find(ack.group_id());
    if (ack.group_seq() > 0 && group != reported_groups_.end()) EXPECT_LE(ack.group_seq(), group->second);
  }

  static json json_of(const Message& m) {
    static const std::map<Command, std::string> kinds = {{COMMAND_C2C_SEND, "c2c"},
                                                         {COMMAND_C2G_SEND, "c2g"},
                                                         {COMMAND_S2C, "s2c"},
                                                         {COMMAND_CTRL_SEND, "ctrl"}};
    return {{"kind", kinds.contains(m.kind) ? kinds.at(m.kind) : "unknown"},
            {"from", m.from},
            {"to", m.to},
            {"group", m.group_id},
            {"content", m.content},
            {"msg_id", m.msg_id},
            {"seq", m.seq},
            {"group_seq", m.group_seq},
            {"msg_type", m.msg_type},
            {"client_msg_id", m.client_msg_id},
            {"mentions", m.mentions},
            {"sent", m.sent},
            {"own", m.own}};
  }

  json json_of(const output::SendDone& done) const {
    json fields = {{"id", send_names_.at(done.id - 1)}, {"code", "OK"}};
    if (!done.result) {
      fields["code"] = std::string(code_name(done.result.error().code));
      return fields;
    }
    fields["msg_id"] = done.result->msg_id;
    fields["outbox_seq"] = done.result->outbox_seq;
    fields["attempts"] = done.result->attempts;
    fields["group"] = done.result->group.group().group_id();
    return fields;
  }

  void check(const json& step) {
    const json expected = step.value("expect", json::array());
    const std::vector<Happened> happened = std::exchange(happened_, {});
    std::string all;
    for (const Happened& one : happened) all += "  " + one.what.dump() + "\n";
    ASSERT_EQ(happened.size(), expected.size()) << "what happened:\n" << all;
    for (std::size_t i = 0; i < happened.size(); ++i) {
      EXPECT_EQ(difference_of(happened[i], expected[i]), "") << "output " << i + 1 << " of\n" << all;
    }
    if (step.contains("state")) {
      EXPECT_EQ(to_string(core_.state()), step["state"].get<std::string>());
    }
    if (step.contains("held")) EXPECT_EQ(difference(held(), step["held"]), "");
  }

  std::string difference_of(const Happened& happened, json expected) {
    if (!expected.contains("packet")) return difference(happened.what, expected);
    const json body = expected.value("body", json::object());
    const std::string name = expected.value("as", std::string());
    expected.erase("body");
    expected.erase("as");
    std::string found = difference(happened.what, expected);
    if (!found.empty()) return found;
    if (!name.empty()) seqs_[name] = happened.packet.seq;
    const auto message = new_body(bodies_of(happened.packet.command).from_client);
    if (!message->ParseFromString(happened.packet.body)) return "does not parse";
    return difference(*message, body);
  }

  [[nodiscard]] json held() const {
    json groups = json::object();
    for (const auto& [group, seq] : core_.held_groups()) groups[std::to_string(group)] = seq;
    return {{"inbox", core_.held().inbox}, {"outbox", core_.held().outbox}, {"groups", groups}};
  }

  SteadyTime now_{std::chrono::hours(1)};
  ClientCore core_;
  std::vector<Happened> happened_;
  std::map<std::string, std::uint32_t> seqs_;  // of packets that an `as` names
  std::vector<std::string> send_names_;        // by SendId, from 1
  HeldSeqs reported_;
  GroupSeqs reported_groups_;
};

std::vector<std::filesystem::path> scenarios() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(HONGYAN_SCENARIOS)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

class ScenarioTest : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(ScenarioTest, Holds) {
  const json scenario = load(GetParam());
  EXPECT_FALSE(scenario["about"].get<std::string>().empty());
  EXPECT_FALSE(scenario["steps"].empty());
  Player(scenario, GetParam().parent_path());
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioTest, ::testing::ValuesIn(scenarios()),
                         [](const auto& about) { return about.param.stem().string(); });

TEST(ScenariosTest, AreThere) { EXPECT_GE(scenarios().size(), kFewestScenarios); }

}  // namespace
}  // namespace hongyan::client
