// A server that answers with errors, or has settings that would change what a write does.
#include <fmt/format.h>

#include <future>

#include "logic/store/mysql/schema/shard_check.h"
#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using logic::GroupWork;
using logic::StoreWork;
using Outcome = StoreWork::Outcome;

constexpr const char* kTelltale = "TELLTALE";

class ServerRefusesTest : public StoreTest {
 protected:
  void fail_inserts(const std::string& table, const std::string& when = "TRUE") {
    static_cast<void>(
        sql(fmt::format("CREATE TRIGGER refuse_{0} BEFORE INSERT ON {0} FOR EACH ROW IF {1} THEN "
                        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{2}'; END IF",
                        table, when, kTelltale)));
  }
  void repair(const std::string& table) { static_cast<void>(sql("DROP TRIGGER refuse_" + table)); }

  static std::unique_ptr<GroupWork> group_row(std::int64_t group_id, std::int64_t seq) {
    auto made = std::make_unique<GroupWork>(GroupWork::Op::kStore);
    made->user.app_id = "app";
    made->group_id = group_id;
    made->slot = slot_of("app", std::to_string(group_id));
    logic::GroupRow row;
    row.message.group_seq = seq;
    row.message.id = group_id * 1000 + seq;
    row.placed_id = 2'000'000 + row.message.id;
    row.message.from = "alice";
    row.message.client_msg_id = "c";
    row.message.content = logic::share("hi");
    row.message.command = 40;
    made->rows.push_back(std::move(row));
    return made;
  }
  static std::unique_ptr<GroupWork> group_load(std::int64_t group_id) {
    auto made = std::make_unique<GroupWork>(GroupWork::Op::kLoad);
    made->user.app_id = "app";
    made->group_id = group_id;
    made->slot = slot_of("app", std::to_string(group_id));
    return made;
  }
  static std::unique_ptr<logic::TailsWork> tails(const std::string& uid) {
    auto made = std::make_unique<logic::TailsWork>();
    made->user = {"app", uid};
    made->slot = slot_of("app", uid);
    return made;
  }
  [[nodiscard]] std::int64_t statements() {
    return number(
               "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
               "'COM_INSERT'") +
           number(
               "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
               "'COM_STMT_EXECUTE'");
  }

  static bool trouble_comes(const Node& node, const std::string& words) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!node.shard->trouble().contains(words)) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }
  static bool trouble_goes(const Node& node) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!node.shard->trouble().empty()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }
  // Twenty rows and twenty groups' rows, the seventh of which is refused.
  static void submit_and_check_all_but_the_seventh(Node& node) {
    for (int i = 1; i <= 20; ++i) node.shard->submit(inbox(fmt::format("u{}", i), i));
    ASSERT_TRUE(node.sink.wait_for(20));
    for (int i = 1; i <= 20; ++i) node.shard->submit(group_row(i, 1));
    ASSERT_TRUE(node.sink.wait_for(40));
    for (std::size_t i = 0; i < 40; ++i) {
      const bool poisoned = i < 20 ? node.sink.inbox(i).message.id == 7 : node.sink.group(i).group_id == 7;
      EXPECT_EQ(node.sink.work(i).outcome, poisoned ? Outcome::kRefused : Outcome::kStored) << i;
    }
  }
  template <typename T, typename Ask>
  static Result<T> answer_of(const Ask& ask) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    ask([promise](Result<T> result) { promise->set_value(std::move(result)); });
    if (future.wait_for(kPatience) != std::future_status::ready) return fail(Code::kInternal, "no answer");
    return future.get();
  }
};

TEST_F(ServerRefusesTest, AnUnknownErrorIsARefusalAndNotASpin) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  EXPECT_TRUE(trouble_goes(node));
  fail_inserts("im_message_send");
  const auto before = statements();
  for (int i = 0; i < 50; ++i) node.shard->submit(outbox(fmt::format("u{}", i), "c1"));
  ASSERT_TRUE(node.sink.wait_for(50));
  EXPECT_LT(statements() - before, 60);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(node.sink.work(i).outcome, Outcome::kRefused);
    EXPECT_EQ(node.sink.work(i).error.code, Code::kUnavailable);
    EXPECT_FALSE(node.sink.work(i).error.message.contains(kTelltale));
  }
  EXPECT_TRUE(trouble_comes(node, kTelltale));
  EXPECT_FALSE(node.shard->down());
  repair("im_message_send");
  for (std::size_t i = 50; i < 1000; ++i) {
    node.shard->submit(outbox("u0", "c1"));
    ASSERT_TRUE(node.sink.wait_for(i + 1));
    if (node.sink.work(i).outcome == Outcome::kStored) break;
  }
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), 1);
  EXPECT_TRUE(trouble_goes(node));
}

TEST_F(ServerRefusesTest, AnUnknownErrorOfOneRowRefusesNobodyElse) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  fail_inserts("im_message_receive", "NEW.msg_id = 7");
  fail_inserts("im_group_message", "NEW.group_id = 7");
  submit_and_check_all_but_the_seventh(node);
}

// What a store says reaches logs and health, and nobody who asked.
TEST_F(ServerRefusesTest, NobodyWhoAsksIsToldWhatTheServerSaid) {
  MariadbServer server;
  use(server);
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  for (const char* table : {"im_message_send", "im_message_receive", "im_group_message", "im_user"})
    fail_inserts(table);
  std::size_t done = 0;
  const auto ask_all = [&](const std::vector<std::string>& telltales) {
    const auto check = [&](const Error& error, const std::string& what) {
      for (const auto& telltale : telltales)
        EXPECT_FALSE(error.message.contains(telltale)) << what << error.message;
    };
    const std::size_t begin = done;
    node.shard->submit(outbox("alice", "c1"));
    node.shard->submit(inbox("bob", 1));
    node.shard->submit(tails("carol"));
    node.shard->submit(group_row(5, 1));
    node.shard->submit(group_load(5));
    done += 5;
    ASSERT_TRUE(node.sink.wait_for(done));
    for (std::size_t i = begin; i < done; ++i) check(node.sink.work(i).error, "work ");
    using Messages = std::vector<logic::StoredMessage>;
    const auto page = answer_of<Messages>(
        [&](auto then) { node.shard->read_inbox({"app", "bob"}, 0, 10, 10, 1000, then); });
    if (!page) check(page.error(), "page ");
    const auto group =
        answer_of<Messages>([&](auto then) { node.shard->read_group("app", 5, 0, 10, 10, 1000, then); });
    if (!group) check(group.error(), "group page ");
    const auto user = answer_of<logic::StoredUser>([&](auto then) {
      node.shard->run_user_request({.kind = logic::UserRequest::Kind::kRegister,
                                    .user = {"app", "alice"},
                                    .slot = slot_of("app", "alice"),
                                    .created_time = 1},
                                   then);
    });
    ASSERT_FALSE(user);
    check(user.error(), "user ");
  };
  ask_all({kTelltale});
  for (const char* table : {"im_message_send", "im_message_receive", "im_group_message"}) repair(table);
  static_cast<void>(
      sql("RENAME TABLE im_message_send TO x1, im_message_receive TO x2, im_group_message TO x3"));
  ask_all({kTelltale, config_.database, "im_message", "doesn't exist"});
  server.kill_hard();
  ask_all({server.socket(), config_.database, "socket", "200"});
}

TEST_F(ServerRefusesTest, ADroppedPrivilegeIsNamedAndPassesWhenItIsGivenBack) {
  MariadbServer server;
  use(server);
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  // Table by table, but for the one.
  const auto grant = [&](const std::string& what, const std::string& table) {
    static_cast<void>(
        server.sql(fmt::format("GRANT {} ON {}.{} TO hongyan@localhost", what, config_.database, table)));
  };
  const std::string tables =
      sql("SELECT GROUP_CONCAT(TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()");
  for (std::size_t at = 0; at < tables.size();) {
    const std::size_t comma = std::min(tables.find(',', at), tables.size());
    const std::string table = tables.substr(at, comma - at);
    grant(table == "im_message_send" ? "SELECT" : "ALL", table);
    at = comma + 1;
  }
  static_cast<void>(server.sql("REVOKE ALL ON `hongyan\\_%`.* FROM hongyan@localhost"));
  // Rights to a database are read when it is chosen: connections of before keep theirs.
  static_cast<void>(sql("SELECT 1"));
  end_connections();
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
  EXPECT_TRUE(trouble_comes(node, "the user lacks a privilege (1142)"));
  grant("ALL", "im_message_send");
  std::size_t done = 1;
  do {
    ASSERT_LT(done, 10'000U);
    node.shard->submit(outbox("alice", "c1"));
    ASSERT_TRUE(node.sink.wait_for(++done));
  } while (node.sink.work(done - 1).outcome != Outcome::kStored);
  EXPECT_TRUE(trouble_goes(node));
}

TEST_F(ServerRefusesTest, AFullTableAndAColumnThatIsNotOursAreNamed) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  static_cast<void>(sql("ALTER TABLE im_message_send ADD COLUMN strange INT NOT NULL"));
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
  EXPECT_TRUE(trouble_comes(node, "1364"));
  static_cast<void>(sql("ALTER TABLE im_message_send DROP COLUMN strange"));
  static_cast<void>(
      sql("CREATE TRIGGER full BEFORE INSERT ON im_message_receive FOR EACH ROW "
          "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114"));
  // The first may be refused without being tried: the server is left alone for a moment.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  std::size_t done = 1;
  do {
    node.shard->submit(inbox("bob", 1));
    ASSERT_TRUE(node.sink.wait_for(++done));
    EXPECT_EQ(node.sink.work(done - 1).outcome, Outcome::kRefused);
  } while (!node.shard->trouble().contains("the server's disk or table is full (1114)") &&
           std::chrono::steady_clock::now() < until);
  EXPECT_TRUE(trouble_comes(node, "the server's disk or table is full (1114)"));
}

// 1180: the commit itself failed, so it is looked up, and refused only then.
TEST_F(ServerRefusesTest, AnErrorOfTheCommitIsLookedUpAndNotTriedForEver) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  static_cast<void>(
      sql("CREATE TRIGGER doubt BEFORE INSERT ON im_message_send FOR EACH ROW "
          "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1180"));
  static_cast<void>(
      sql("CREATE TRIGGER doubt_group BEFORE INSERT ON im_group_message FOR EACH ROW "
          "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1180"));
  node.shard->submit(outbox("alice", "c1"));
  node.shard->submit(group_row(5, 1));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(number("SELECT barrier FROM im_node WHERE node = 1"), 2);
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(node.sink.work(i).outcome, Outcome::kRefused);
    EXPECT_EQ(node.sink.work(i).error.code, Code::kUnavailable);
  }
}

// A row that ends its connection whenever it is tried, as a server's bug would.
TEST_F(ServerRefusesTest, ARowThatKillsItsConnectionRefusesNobodyElse) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  const std::string kill = "DECLARE EXIT HANDLER FOR SQLEXCEPTION RESIGNAL; KILL CONNECTION CONNECTION_ID()";
  static_cast<void>(sql("CREATE PROCEDURE die() BEGIN " + kill + "; END"));
  static_cast<void>(
      sql("CREATE TRIGGER die BEFORE INSERT ON im_message_receive FOR EACH ROW IF NEW.msg_id = 7 "
          "THEN CALL die(); END IF"));
  static_cast<void>(
      sql("CREATE TRIGGER die_group BEFORE INSERT ON im_group_message FOR EACH ROW IF NEW.group_id "
          "= 7 THEN CALL die(); END IF"));
  submit_and_check_all_but_the_seventh(node);
}

TEST_F(ServerRefusesTest, StopsAtOnceWhileTheServerRefuses) {
  auto node = std::make_unique<Node>(config_, 1, 100);
  ASSERT_TRUE(node->start());
  fail_inserts("im_message_send");
  fail_inserts("im_group_message");
  for (int i = 0; i < 500; ++i) node->shard->submit(outbox(fmt::format("u{}", i), "c1"));
  for (int i = 1; i < 200; ++i) node->shard->submit(group_row(i, 1));
  const auto begun = std::chrono::steady_clock::now();
  node->shard->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(3));
  EXPECT_TRUE(node->sink.wait_for(699));
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), 0);
}

TEST_F(ServerRefusesTest, UpkeepThatIsRefusedTakesNoLeaseAway) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  fail_inserts("im_pending");
  std::promise<bool> done;
  logic::Upkeep upkeep;
  upkeep.add_pending.push_back({.slot = 1, .destination = 2, .id = 3});
  upkeep.done = [&done](bool written) { done.set_value(written); };
  node.shard->write_upkeep(std::move(upkeep));
  EXPECT_FALSE(done.get_future().get());
  EXPECT_TRUE(trouble_comes(node, kTelltale));
  EXPECT_FALSE(node.shard->down());
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kStored);
}

TEST_F(ServerRefusesTest, OddSettingsOfTheServerChangeNothing) {
  MariadbServer server({"--skip-character-set-client-handshake", "--character-set-server=latin1"});
  use(server);
  static_cast<void>(server.sql(
      "SET GLOBAL completion_type = 'CHAIN', sql_select_limit = 1000, tx_isolation = 'SERIALIZABLE', "
      "tx_read_only = "
      "1, autocommit = 0, sql_mode = 'ANSI,PIPES_AS_CONCAT', innodb_lock_wait_timeout = 50, "
      "max_statement_time = "
      "0.001, time_zone = '+05:30', sql_safe_updates = 1, foreign_key_checks = 0, unique_checks = 0, "
      "init_connect = 'SET unique_checks = 0, character_set_connection = ucs2'"));
  {
    Node node(config_, 1, 100);
    ASSERT_TRUE(node.start());
    EXPECT_EQ(node.observer.slots.size(), 4096U);
    node.shard->submit(outbox("alice", "c1"));
    node.shard->submit(inbox("bob", 1));
    node.shard->submit(group_row(5, 1));
    ASSERT_TRUE(node.sink.wait_for(3));
    for (const std::size_t i : {0U, 1U, 2U}) EXPECT_EQ(node.sink.work(i).outcome, Outcome::kStored);
    const auto created = answer_of<logic::StoredUser>([&](auto then) {
      node.shard->run_user_request({.kind = logic::UserRequest::Kind::kRegister,
                                    .user = {"app", "alice"},
                                    .slot = slot_of("app", "alice"),
                                    .created_time = 1},
                                   then);
    });
    EXPECT_TRUE(created);
    EXPECT_LT(std::abs(node.shard->clock_ms() - wall_ms()), 60'000);
    server.kill_hard();  // what is not committed is gone
  }
  server.start();
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), 1);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_receive"), 1);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_group_message"), 1);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_user"), 1);
}

TEST_F(ServerRefusesTest, TransactionsThatWouldEndTheConnectionDoNot) {
  MariadbServer server({"--completion-type=2"});
  use(server);
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kStored);
}

TEST_F(ServerRefusesTest, TheReasonWhyAShardIsNotAcquiredIsTold) {
  MariadbServer server;
  use(server);
  const auto reason_of = [&](const logic::ShardConfig& config, const std::string& words) {
    Node node(config, 1, 100);
    node.shard->start();
    EXPECT_TRUE(trouble_comes(node, words)) << node.shard->trouble();
    EXPECT_TRUE(node.shard->down());
  };
  auto config = config_;
  config.password = "wrong";
  reason_of(config, "the server refuses the user or the password");
  config = config_;
  config.database = "hongyan_none";
  reason_of(config, "there is no such database (1049)");
  config = config_;
  config.slots = "0-99";
  reason_of(config, "the database holds slots 0-4095");
  config = config_;
  config.socket += ".none";
  reason_of(config, "the server cannot be reached (2002)");
  static_cast<void>(server.sql("SET GLOBAL read_only = 1"));
  reason_of(config_, "the server is read-only");
  static_cast<void>(server.sql("GRANT READ ONLY ADMIN ON *.* TO hongyan@localhost"));
  reason_of(config_, "the server is read-only");
  static_cast<void>(server.sql("SET GLOBAL read_only = 0; SET GLOBAL require_secure_transport = 1"));
  config = config_;
  config.socket.clear();
  config.host = "127.0.0.1";
  config.port = server.port();
  reason_of(config, "TLS");
  static_cast<void>(server.sql("SET GLOBAL require_secure_transport = 0"));
  static_cast<void>(server.sql("DELETE FROM im_slot WHERE slot = 5", config_.database));
  reason_of(config_, "im_slot has 4095 of 4096 slots");
}

}  // namespace
}  // namespace hongyan::testing
