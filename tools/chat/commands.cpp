#include "tools/chat/commands.h"

#include <algorithm>
#include <array>
#include <functional>

#include "common/base/text.h"

namespace hongyan::chat {

namespace {

constexpr std::int32_t kPage = 1'000;
constexpr std::string_view kSpaces = " \t";
constexpr std::string_view kPunctuation = ".,;:!?)";

constexpr std::string_view kHelp =
    "bob;;hello                      sends hello to bob\n"
    "#12;;hello @bob                 sends hello to the group 12, mentions bob\n"
    ":g create NAME [USER...]        makes a group; \"a name\" of several words stands in quotes\n"
    ":g add|remove GROUP USER...     changes who is in it\n"
    ":g join|exit|delete|info|members GROUP\n"
    ":g rename|announce GROUP TEXT\n"
    ":g transfer GROUP USER          makes the user its owner\n"
    ":g list                         the groups that you are in\n"
    ":c2s DESTINATION TEXT           uploads the text to the destination\n"
    ":pull                           gets everything stored that was not received yet\n"
    ":olu                            says who is online (needs --api and --api-key, or --env)\n"
    ":q                              leaves (so does the end of input)\n"
    ":help                           says this";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kSpaces);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// Cuts the first word off, and the spaces after it. A word in double quotes may hold spaces.
std::string take_word(std::string_view& text) {
  text = trimmed(text);
  std::string word;
  if (text.starts_with('"')) {
    const auto end = text.find('"', 1);
    word = text.substr(1, end == std::string_view::npos ? end : end - 1);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  } else {
    const auto end = std::min(text.find_first_of(kSpaces), text.size());
    word = text.substr(0, end);
    text = text.substr(end);
  }
  text = trimmed(text);
  return word;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) words.push_back(take_word(text));
  return words;
}

Result<std::string> one_word(std::string_view text, const std::string& what) {
  auto words = words_of(text);
  if (words.size() != 1 || words.front().empty()) return fail(Code::kBadRequest, what + " is missing");
  return std::move(words.front());
}

// The commands of `:g` that name a group. rest: what stands after the group.
using MakeRequest = std::function<Result<client::GroupRequest>(std::int64_t group_id, std::string_view rest)>;

template <typename Make>
MakeRequest of_members(Make make) {
  return [make](std::int64_t group_id, std::string_view rest) -> Result<client::GroupRequest> {
    auto members = words_of(rest);
    if (members.empty()) return fail(Code::kBadRequest, "whom? :g add 12 bob carol");
    return make(group_id, std::move(members));
  };
}

template <typename Make>
MakeRequest of_group(Make make) {
  return [make](std::int64_t group_id, std::string_view rest) -> Result<client::GroupRequest> {
    if (!rest.empty()) return fail(Code::kBadRequest, "a group's id, and nothing else, belongs there");
    return make(group_id);
  };
}

Result<client::GroupRequest> rename(std::int64_t group_id, std::string_view rest) {
  if (rest.empty()) return fail(Code::kBadRequest, "the new name is missing");
  return client::rename_group(group_id, std::string(rest));
}

Result<client::GroupRequest> announce(std::int64_t group_id, std::string_view rest) {
  return client::set_announcement(group_id, std::string(rest));  // nothing: no announcement any more
}

Result<client::GroupRequest> transfer(std::int64_t group_id, std::string_view rest) {
  auto owner = one_word(rest, "the new owner");
  if (!owner) return std::unexpected(owner.error());
  return client::transfer_group(group_id, std::move(*owner));
}

Result<client::GroupRequest> members(std::int64_t group_id, std::string_view /*rest*/) {
  return client::list_members(group_id, 0, kPage);
}

Result<client::GroupRequest> parse_of_group(const std::string& verb, std::string_view rest) {
  const std::array<std::pair<std::string_view, MakeRequest>, 10> verbs = {
      {{"add", of_members(client::add_members)},
       {"remove", of_members(client::remove_members)},
       {"join", of_group(client::join_group)},
       {"exit", of_group(client::exit_group)},
       {"delete", of_group(client::delete_group)},
       {"info", of_group(client::get_group)},
       {"members", members},
       {"rename", rename},
       {"announce", announce},
       {"transfer", transfer}}};
  const auto* const found = std::ranges::find(verbs, verb, &std::pair<std::string_view, MakeRequest>::first);
  if (found == verbs.end()) return fail(Code::kBadRequest, "no such command of groups: :g " + verb);
  const auto group_id = parse_group_id(take_word(rest));
  if (!group_id) return std::unexpected(group_id.error());
  return found->second(*group_id, rest);
}

Result<ChatCommand> parse_group_command(std::string_view rest) {
  const std::string verb = take_word(rest);
  if (verb == "list") return ListCommand{client::list_my_groups(0, kPage)};
  if (verb == "create") {
    std::string name = take_word(rest);
    if (name.empty()) return fail(Code::kBadRequest, "a group needs a name: :g create weekend bob");
    std::string target = "the new group " + name;
    return SendCommand{std::move(target), client::create_group(std::move(name), words_of(rest))};
  }
  auto request = parse_of_group(verb, rest);
  if (!request) return std::unexpected(request.error());
  if (request->type == client::CTRL_TYPE_LIST_MEMBERS) return ListCommand{std::move(*request)};
  return SendCommand{"#" + std::to_string(request->group_id), std::move(*request)};
}

Result<ChatCommand> parse_upload(std::string_view rest) {
  const auto space = rest.find(' ');
  if (space == std::string_view::npos || space == 0) {
    return fail(Code::kBadRequest, "what, and where to? :c2s orders hello");
  }
  std::string destination(rest.substr(0, space));
  return SendCommand{destination,
                     client::ToService{std::move(destination), std::string(rest.substr(space + 1))}};
}

}  // namespace

std::string_view command_help() noexcept { return kHelp; }

Result<std::int64_t> parse_group_id(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  const auto group_id = parse_number<std::int64_t>(text);
  if (!group_id || *group_id <= 0) {
    return fail(Code::kBadRequest, "a group has a number, not \"" + std::string(text) + "\"");
  }
  return *group_id;
}

client::ToGroup group_text(std::int64_t group_id, std::string text) {
  client::ToGroup out{.group_id = group_id};
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(" \t\r\n"), rest.size());
    std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!word.starts_with('@')) continue;
    word.remove_prefix(1);
    while (!word.empty() && kPunctuation.contains(word.back())) word.remove_suffix(1);
    if (!word.empty() && std::ranges::find(out.mentions, word) == out.mentions.end()) {
      out.mentions.emplace_back(word);
    }
  }
  out.content = std::move(text);
  return out;
}

Result<ChatCommand> parse_command(std::string_view line) {
  if (line == ":pull") return PullCommand();
  if (line == ":olu") return OnlineCommand();
  if (line == ":help") return HelpCommand();
  if (line == ":q") return QuitCommand();
  if (line.starts_with(":g ")) return parse_group_command(line.substr(3));
  if (line.starts_with(":c2s ")) return parse_upload(line.substr(5));
  const auto middle = line.find(";;");
  if (line.starts_with(':') || middle == std::string_view::npos) {
    return fail(Code::kBadRequest, "not understood; :help tells what is");
  }
  std::string target(line.substr(0, middle));
  std::string text(line.substr(middle + 2));
  if (!target.starts_with('#')) {
    return SendCommand{target, client::ToUser{std::move(target), std::move(text)}};
  }
  const auto group_id = parse_group_id(target);
  if (!group_id) return std::unexpected(group_id.error());
  return SendCommand{std::move(target), group_text(*group_id, std::move(text))};
}

}  // namespace hongyan::chat
