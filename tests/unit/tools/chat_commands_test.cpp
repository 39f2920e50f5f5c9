#include "tools/chat/commands.h"

#include <gtest/gtest.h>

namespace hongyan::chat {
namespace {

template <typename T>
T parsed(std::string_view line) {
  auto command = parse_command(line);
  EXPECT_TRUE(command) << line << ": " << command.error().message;
  const T* wanted = command ? std::get_if<T>(&*command) : nullptr;
  EXPECT_NE(wanted, nullptr) << line;
  return wanted ? *wanted : T();
}

client::GroupRequest request(std::string_view line) {
  const auto command = parsed<SendCommand>(line);
  const auto* out = std::get_if<client::GroupRequest>(&command.what);
  EXPECT_NE(out, nullptr) << line;
  return out ? *out : client::GroupRequest();
}

std::vector<std::string> members(const client::GroupRequest& of) {
  return {of.op.members().begin(), of.op.members().end()};
}

using Uids = std::vector<std::string>;

TEST(ChatCommandsTest, SendsToUsersServicesAndGroups) {
  const auto user = std::get<client::ToUser>(parsed<SendCommand>("bob;;hello;;you").what);
  EXPECT_EQ(user.to, "bob");
  EXPECT_EQ(user.content, "hello;;you");
  const auto upload = std::get<client::ToService>(parsed<SendCommand>(":c2s orders two teas").what);
  EXPECT_EQ(upload.destination, "orders");
  EXPECT_EQ(upload.content, "two teas");
  const auto to_group = parsed<SendCommand>("#12;;hello all");
  EXPECT_EQ(to_group.target, "#12");
  EXPECT_EQ(std::get<client::ToGroup>(to_group.what).group_id, 12);
  EXPECT_EQ(std::get<client::ToGroup>(to_group.what).content, "hello all");
}

TEST(ChatCommandsTest, FindsMentions) {
  EXPECT_EQ(group_text(1, "@bob, see @carol! mail x@y @bob @ @@z\n@dave").mentions,
            (Uids{"bob", "carol", "@z", "dave"}));
  EXPECT_TRUE(group_text(1, "").mentions.empty());
}

TEST(ChatCommandsTest, MakesGroups) {
  const auto plain = request(":g create weekend bob carol");
  EXPECT_EQ(plain.type, client::CTRL_TYPE_CREATE_GROUP);
  EXPECT_EQ(plain.group_id, 0);
  EXPECT_EQ(plain.op.name(), "weekend");
  EXPECT_EQ(members(plain), (Uids{"bob", "carol"}));
  const auto quoted = request(":g  create \"a long weekend\"  bob \"two words\"");
  EXPECT_EQ(quoted.op.name(), "a long weekend");
  EXPECT_EQ(members(quoted), (Uids{"bob", "two words"}));
  EXPECT_TRUE(members(request(":g create alone")).empty());
}

TEST(ChatCommandsTest, ChangesGroups) {
  EXPECT_EQ(members(request(":g add 12 bob carol")), (Uids{"bob", "carol"}));
  EXPECT_EQ(request(":g add #12 bob").group_id, 12);
  EXPECT_EQ(request(":g remove 12 bob").type, client::CTRL_TYPE_REMOVE_MEMBERS);
  EXPECT_EQ(request(":g join 12").type, client::CTRL_TYPE_JOIN_GROUP);
  EXPECT_EQ(request(":g exit 12").type, client::CTRL_TYPE_EXIT_GROUP);
  EXPECT_EQ(request(":g delete 12").type, client::CTRL_TYPE_DELETE_GROUP);
  EXPECT_EQ(request(":g info 12").type, client::CTRL_TYPE_GET_GROUP);
  EXPECT_EQ(request(":g rename 12 the long one").op.name(), "the long one");
  EXPECT_EQ(request(":g announce 12 bring \"tea\"").op.announcement(), "bring \"tea\"");
  EXPECT_EQ(request(":g announce 12").op.announcement(), "");
  EXPECT_EQ(request(":g transfer 12 bob").op.owner(), "bob");
}

TEST(ChatCommandsTest, ListsPageByPage) {
  const auto of_group = parsed<ListCommand>(":g members 12").request;
  EXPECT_EQ(of_group.type, client::CTRL_TYPE_LIST_MEMBERS);
  EXPECT_EQ(of_group.group_id, 12);
  EXPECT_GT(of_group.op.limit(), 0);
  EXPECT_EQ(parsed<ListCommand>(":g list").request.type, client::CTRL_TYPE_LIST_MY_GROUPS);
}

TEST(ChatCommandsTest, KnowsTheRest) {
  parsed<PullCommand>(":pull");
  parsed<OnlineCommand>(":olu");
  parsed<HelpCommand>(":help");
  parsed<QuitCommand>(":q");
}

TEST(ChatCommandsTest, SaysWhatIsWrong) {
  for (const char* bad : {"hello",
                          ":nonsense",
                          ":g",
                          ":g ",
                          ":g dance 12",
                          ":g create",
                          ":g add 12",
                          ":g add bob carol",
                          ":g exit",
                          ":g exit 12 13",
                          ":g rename 12",
                          ":g transfer 12",
                          ":g transfer 12 a b",
                          ":g info 0",
                          ":g info -3",
                          ":g info 99999999999999999999",
                          "#weekend;;hi",
                          "#;;hi",
                          ":c2s orders",
                          ":g members"}) {
    const auto command = parse_command(bad);
    ASSERT_FALSE(command) << bad;
    EXPECT_EQ(command.error().code, Code::kBadRequest);
    EXPECT_FALSE(command.error().message.empty());
  }
}

TEST(ChatCommandsTest, HelpNamesEveryCommand) {
  for (const char* word :
       {";;", "#12", ":g create", "add|remove", "exit|delete|info|members", "rename|announce", "transfer",
        ":g list", ":c2s", ":pull", ":olu", ":q", ":help"}) {
    EXPECT_NE(command_help().find(word), std::string_view::npos) << word;
  }
}

}  // namespace
}  // namespace hongyan::chat
