#include "common/config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "common/config/common_config.h"
#include "tests/support/temp_folder.h"

namespace hongyan::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Inner {
  std::string name;
  std::uint32_t weight = 1;
  std::string password;
};

struct Sample {
  bool dev = false;
  std::uint32_t workers = 2;
  std::uint16_t port = 7;
  std::int64_t offset = -3;
  double ratio = 0.5;
  std::string title = "a \"quoted\" title";
  Milliseconds deadline{10'000};
  std::size_t body = 64 << 10;
  Endpoint listen{"0.0.0.0", 7000};
  std::vector<std::string> names = {"x"};
  std::vector<Endpoint> peers;
  std::string secret;
  std::vector<Inner> shards;
};

void bind(Schema& schema, Sample& c) {
  schema.value("dev", c.dev, "Development.");
  schema.refuse_weak_secrets_unless(c.dev);
  schema.section("gate", "The gate.");
  schema.value("gate.workers", c.workers, "Threads.").range(1, 64);
  schema.value("gate.port", c.port, "Port.");
  schema.value("gate.offset", c.offset, "Offset.");
  schema.value("gate.ratio", c.ratio, "Ratio.").range(0.0, 1.0);
  schema.value("gate.title", c.title, "Title.");
  schema.value("gate.deadline", c.deadline, "Deadline.").range(Milliseconds(1), Milliseconds(60'000));
  schema.bytes("gate.body", c.body, "Body.").range(1, 1 << 20);
  schema.value("gate.listen", c.listen, "Listen.").not_empty();
  schema.list("gate.names", c.names, "Names.");
  schema.list("gate.peers", c.peers, "Peers.");
  schema.secret("gate.secret", c.secret, "Secret.");
  schema.tables<Inner>(
      "mysql.shards", "Shards.",
      [](Schema& s, Inner& inner) {
        s.value("name", inner.name, "Name.").required();
        s.value("weight", inner.weight, "Weight.").range(1, 9);
        s.secret("password", inner.password, "Password.");
      },
      c.shards);
  schema.check("gate.port", [&c] { return c.port == 666 ? std::string("is cursed") : std::string(); });
}

std::vector<std::string> load(Sample& sample, std::string_view text) {
  Schema schema;
  bind(schema, sample);
  return schema.load_text(text, "f.toml");
}

class SchemaTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.file(name)) << text;
    return folder_.file(name);
  }
  static void readable_by_all(const std::string& path, bool yes) {
    using std::filesystem::perms;
    std::filesystem::permissions(path, yes ? perms(0644) : perms(0640));
  }

  testing::TempFolder folder_;
  Sample sample_;
};

TEST_F(SchemaTest, FillsEveryType) {
  EXPECT_THAT(load(sample_, R"(
dev = true
[gate]
workers = 8
port = 65535
offset = -9
ratio = 1
title = "t"
deadline = "30s"
body = "128KiB"
listen = ":1234"
names = ["a", "b"]
peers = ["h:1", "[::1]:2"]
secret = "s3cret"
[[mysql.shards]]
name = "one"
[[mysql.shards]]
name = "two"
weight = 9
password = "p"
)"),
              IsEmpty());
  EXPECT_TRUE(sample_.dev);
  EXPECT_EQ(sample_.workers, 8U);
  EXPECT_EQ(sample_.port, 65535);
  EXPECT_EQ(sample_.offset, -9);
  EXPECT_EQ(sample_.ratio, 1.0);
  EXPECT_EQ(sample_.title, "t");
  EXPECT_EQ(sample_.deadline, Milliseconds(30'000));
  EXPECT_EQ(sample_.body, 128U << 10);
  EXPECT_EQ(sample_.listen, (Endpoint{"0.0.0.0", 1234}));
  EXPECT_THAT(sample_.names, ElementsAre("a", "b"));
  EXPECT_THAT(sample_.peers, ElementsAre(Endpoint{"h", 1}, Endpoint{"::1", 2}));
  EXPECT_EQ(sample_.secret, "s3cret");
  ASSERT_EQ(sample_.shards.size(), 2U);
  EXPECT_EQ(sample_.shards[0].name, "one");
  EXPECT_EQ(sample_.shards[0].weight, 1U);
  EXPECT_EQ(sample_.shards[1].weight, 9U);
  EXPECT_EQ(sample_.shards[1].password, "p");
}

TEST_F(SchemaTest, KeepsDefaultsOfWhatIsAbsent) {
  EXPECT_THAT(load(sample_, ""), IsEmpty());
  EXPECT_EQ(sample_.workers, 2U);
  EXPECT_THAT(sample_.names, ElementsAre("x"));
}

TEST_F(SchemaTest, NamesUnknownKeysWithPlaceAndSuggestion) {
  EXPECT_THAT(load(sample_, "[gate]\n\n  wokers = 1\n"),
              ElementsAre("f.toml:3:3: gate.wokers: unknown key, did you mean gate.workers?"));
  EXPECT_THAT(load(sample_, "[gaet]\nworkers = 1\n"),
              ElementsAre("f.toml:1:2: gaet: unknown key, did you mean gate?"));
  EXPECT_THAT(load(sample_, "workers = 1\n"),
              ElementsAre("f.toml:1:1: workers: unknown key, did you mean gate.workers?"));
  EXPECT_THAT(load(sample_, "[gate]\nbanana = 1\n"), ElementsAre("f.toml:2:1: gate.banana: unknown key"));
}

TEST_F(SchemaTest, NamesUnknownKeysInTables) {
  EXPECT_THAT(
      load(sample_, "[[mysql.shards]]\nname = \"a\"\n[[mysql.shards]]\nnaem = \"b\"\n"),
      ElementsAre("f.toml:3:1: mysql.shards[1].name: is required",
                  "f.toml:4:1: mysql.shards[1].naem: unknown key, did you mean mysql.shards[1].name?"));
}

TEST_F(SchemaTest, ReportsAllErrorsInOrder) {
  const auto errors = load(sample_, R"([gate]
workers = 65
port = 65536
ratio = 2.0
title = 7
deadline = "10x"
body = "1TB"
listen = "nowhere"
names = "a"
peers = ["h"]
deadlin = 1
[[mysql.shards]]
weight = 0
)");
  EXPECT_THAT(errors, ElementsAre("f.toml:2:11: gate.workers: 65 is out of range, 1 to 64",
                                  "f.toml:3:8: gate.port: 65536 is out of range, 0 to 65535",
                                  "f.toml:4:9: gate.ratio: 2 is out of range, 0 to 1",
                                  "f.toml:5:9: gate.title: must be a text",
                                  "f.toml:6:12: gate.deadline: bad unit of a duration, use ms, s, m, h or d",
                                  "f.toml:7:8: gate.body: bad unit of a size, use B, KiB, MiB or GiB",
                                  HasSubstr("f.toml:8:10: gate.listen: not an endpoint"),
                                  "f.toml:9:9: gate.names: must be a list of texts",
                                  HasSubstr("f.toml:10:9: gate.peers: not an endpoint"),
                                  "f.toml:11:1: gate.deadlin: unknown key, did you mean gate.deadline?",
                                  "f.toml:12:1: mysql.shards[0].name: is required",
                                  "f.toml:13:10: mysql.shards[0].weight: 0 is out of range, 1 to 9"));
}

TEST_F(SchemaTest, ReportsRangesOfDurationsAndSizesInTheirUnits) {
  EXPECT_THAT(load(sample_, "[gate]\ndeadline = \"2m\"\nbody = \"2MiB\"\n"),
              ElementsAre("f.toml:2:12: gate.deadline: 2m is out of range, 1ms to 1m",
                          "f.toml:3:8: gate.body: 2MiB is out of range, 1B to 1MiB"));
}

TEST_F(SchemaTest, RefusesATableWhereAValueBelongsAndTheOtherWayRound) {
  EXPECT_THAT(load(sample_, "gate = 3\n"), ElementsAre("f.toml:1:8: gate: must be a table"));
  EXPECT_THAT(load(sample_, "[gate.workers]\n"),
              ElementsAre(HasSubstr("gate.workers: must be a whole number")));
  EXPECT_THAT(load(sample_, "[mysql]\nshards = [1]\n"),
              ElementsAre("f.toml:2:11: mysql.shards[0]: must be a table"));
  EXPECT_THAT(load(sample_, "[mysql.shards]\nname = \"a\"\n"),
              ElementsAre(HasSubstr("mysql.shards: must be tables")));
}

TEST_F(SchemaTest, ReportsSyntaxErrorsWithTheirPlace) {
  EXPECT_THAT(load(sample_, "[gate]\nworkers = = 1\n"), ElementsAre(HasSubstr("f.toml:2:")));
  EXPECT_THAT(load(sample_, "a = 1\na = 2\n"), ElementsAre(HasSubstr("f.toml:2:")));
}

TEST_F(SchemaTest, TellsWhatMustNotBeEmptyFromWhatMayBeLeftOut) {
  EXPECT_THAT(load(sample_, "[gate]\nlisten = \"\"\n"),
              ElementsAre("f.toml:2:10: gate.listen: must not be empty"));
  EXPECT_THAT(load(sample_, "[gate]\n"), IsEmpty());
}

TEST_F(SchemaTest, LooksAtRulesOnceTheKeysAreWell) {
  EXPECT_THAT(load(sample_, "[gate]\nport = 666\n"), ElementsAre("f.toml:2:8: gate.port: is cursed"));
}

TEST_F(SchemaTest, ReadsSecretsFromFilesAndEnvironment) {
  const auto path = write("gate.toml", "[gate]\nsecret_file = \"key\"\n");
  readable_by_all(write("key", "from file\n"), false);
  {
    Schema schema;
    bind(schema, sample_);
    EXPECT_THAT(schema.load_file(path), IsEmpty());
    EXPECT_EQ(sample_.secret, "from file");
    EXPECT_THAT(schema.print(), HasSubstr("secret_file = \"key\""));
  }
  ::setenv("HONGYAN_SCHEMA_TEST_SECRET", "from env", 1);
  Sample other;
  EXPECT_THAT(load(other, "[gate]\nsecret_env = \"HONGYAN_SCHEMA_TEST_SECRET\"\n"), IsEmpty());
  EXPECT_EQ(other.secret, "from env");
}

TEST_F(SchemaTest, RefusesBadSecrets) {
  EXPECT_THAT(load(sample_, "[gate]\nsecret = \"a\"\nsecret_env = \"B\"\n"),
              ElementsAre(HasSubstr("f.toml:3:14: gate.secret_env: more than one")));
  EXPECT_THAT(load(sample_, "[gate]\nsecret_env = \"HONGYAN_SCHEMA_TEST_ABSENT\"\n"),
              ElementsAre(HasSubstr("the environment has no")));
  EXPECT_THAT(load(sample_, "[gate]\nsecret_file = \"/nonexistent/x\"\n"),
              ElementsAre(HasSubstr("cannot be opened")));
  EXPECT_THAT(load(sample_, "[gate]\nsecret = 12345\n"),
              ElementsAre("f.toml:2:10: gate.secret: must be a text"));
}

TEST_F(SchemaTest, RefusesSampleSecretsOutsideDev) {
  EXPECT_THAT(load(sample_, "[gate]\nsecret = \"change-me-please\"\n"),
              ElementsAre(HasSubstr("f.toml:2:10: gate.secret: is a sample secret")));
  EXPECT_THAT(load(sample_, "[[mysql.shards]]\nname = \"a\"\npassword = \"change-me\"\n"),
              ElementsAre(HasSubstr("mysql.shards[0].password: is a sample secret")));
  for (const char* sample : {"CHANGE-ME", "changeme123456", "please Change_Me", "xx-change-me-xx"}) {
    EXPECT_THAT(load(sample_, std::string("[gate]\nsecret = \"") + sample + "\"\n"),
                ElementsAre(HasSubstr("is a sample secret")))
        << sample;
  }
  EXPECT_THAT(load(sample_, "dev = true\n[gate]\nsecret = \"change-me-please\"\n"), IsEmpty());
}

TEST_F(SchemaTest, RefusesSecretsOfFewCharacters) {
  for (const char* weak : {"aaaaaaaaaaaaaaaa", "1212121212121212", "abcabcabcabc"}) {
    EXPECT_THAT(load(sample_, std::string("[gate]\nsecret = \"") + weak + "\"\n"),
                ElementsAre(HasSubstr("is easy to guess")))
        << weak;
  }
  EXPECT_THAT(load(sample_, "[gate]\nsecret = \"abcde12345\"\n"), IsEmpty());
}

TEST_F(SchemaTest, RefusesSecretsInFilesThatEverybodyMayRead) {
  const auto path = write("gate.toml", "[gate]\nsecret_file = \"key\"\n");
  const auto key = write("key", "from file\n");
  for (const bool for_all : {true, false}) {
    readable_by_all(key, for_all);
    Schema schema;
    Sample sample;
    bind(schema, sample);
    const auto errors = schema.load_file(path);
    if (for_all) {
      EXPECT_THAT(errors, ElementsAre(HasSubstr("gate.secret_file: is in a file that everybody may read")));
    } else {
      EXPECT_THAT(errors, IsEmpty());
    }
  }
  static_cast<void>(write("gate.toml", "dev = true\n[gate]\nsecret_file = \"key\"\n"));
  readable_by_all(key, true);
  Schema schema;
  Sample sample;
  bind(schema, sample);
  EXPECT_THAT(schema.load_file(path), IsEmpty());
}

TEST_F(SchemaTest, PrintsWhatLoadsToTheSame) {
  Schema schema;
  bind(schema, sample_);
  ASSERT_THAT(schema.load_text(R"(
[gate]
workers = 5
title = "line\nbreak \\ \"q\" é"
deadline = "1500ms"
ratio = 0.25
peers = ["[::1]:9"]
[[mysql.shards]]
name = "one"
[[mysql.shards]]
name = "two"
weight = 3
)",
                               "f.toml"),
              IsEmpty());
  const std::string printed = schema.print();
  Sample again;
  Schema second;
  bind(second, again);
  EXPECT_THAT(second.load_text(printed, "printed"), IsEmpty()) << printed;
  EXPECT_EQ(second.print(), printed);
  EXPECT_EQ(again.title, sample_.title);
  EXPECT_EQ(again.workers, 5U);
  EXPECT_EQ(again.shards.size(), 2U);
  EXPECT_THAT(printed, HasSubstr("# Threads.\n# default: 2, from 1 to 64\nworkers = 5\n"));
}

TEST_F(SchemaTest, PrintsDefaultsWithACommentedExampleOfTables) {
  Schema schema;
  bind(schema, sample_);
  const std::string printed = schema.print();
  EXPECT_THAT(printed, HasSubstr("# [[mysql.shards]]\n"));
  Sample again;
  EXPECT_THAT(load(again, printed), IsEmpty()) << printed;
  EXPECT_TRUE(again.shards.empty());
}

TEST_F(SchemaTest, NeverPrintsSecrets) {
  Schema schema;
  bind(schema, sample_);
  ASSERT_THAT(
      schema.load_text(
          "[gate]\nsecret = \"hunter2\"\n[[mysql.shards]]\nname = \"n\"\npassword = \"hunter3\"\n", "f.toml"),
      IsEmpty());
  const std::string printed = schema.print();
  EXPECT_THAT(printed, Not(HasSubstr("hunter")));
  EXPECT_THAT(printed, HasSubstr("# secret = \"(set, hidden)\""));
}

TEST_F(SchemaTest, NamesTheFileThatIsNotThere) {
  Schema schema;
  bind(schema, sample_);
  EXPECT_THAT(schema.load_file("/nonexistent/gate.toml"),
              ElementsAre("/nonexistent/gate.toml: cannot be opened"));
  EXPECT_THAT(schema.load_file("/"), ElementsAre("/: is a directory"));
}

TEST(CommonConfigTest, RequiresAClusterSecretOfSomeLength) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {"", "f.toml: cluster.secret: is required"},
           {"[cluster]\nsecret = \"\"\n", "must not be empty"},
           {"[cluster]\nsecret = \"short\"\n", "must have 16 to 1024 bytes"},
           {"[cluster]\nsecret = \"change-me-in-production\"\n", "sample secret"}}) {
    CommonConfig config;
    Schema schema;
    bind_common(schema, config, {"127.0.0.1", 9100});
    EXPECT_THAT(schema.load_text(text, "f.toml"), ElementsAre(HasSubstr(expected)));
  }
}

TEST(CommonConfigTest, FillsItsSections) {
  CommonConfig config;
  Schema schema;
  bind_common(schema, config, {"127.0.0.1", 9100});
  EXPECT_THAT(
      schema.load_text("dev = true\n[log]\nlevel = \"debug\"\n[cluster]\nsecret = \"change-me-change-me\"\n"
                       "iplists = [\"127.0.0.1:7201\"]\n[metrics]\nlisten = \"\"\n",
                       "f.toml"),
      IsEmpty());
  EXPECT_EQ(config.log.parsed(), log::Level::kDebug);
  EXPECT_THAT(config.cluster.iplists, ElementsAre(Endpoint{"127.0.0.1", 7201}));
  EXPECT_FALSE(config.metrics.listen.set());
}

}  // namespace
}  // namespace hongyan::config
