// What hongyan-chat shows: messages and receipts on standard output, remarks on standard error.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "client/cpp/types.h"

namespace hongyan::chat {

// Whole lines, from any thread. What others wrote is escaped (tools/support/text.h). On a terminal a line
// takes the place of the prompt, which is written again after it.
class Printer {
 public:
  struct Style {
    bool json = false;
    bool quiet = false;
    bool prompt = false;
  };
  explicit Printer(Style style) : style_(style) {}

  void message(const client::Message& message);
  void sent(const std::string& to, const client::SendReceipt& receipt);
  void failed(const std::string& to, const client::Failure& failure);
  // The answer to a group operation of this type.
  void group(client::CtrlType type, const client::GroupOpResult& result);
  void kicked(const client::Kick& kick);
  // more: others are online too.
  void online(const std::vector<std::string>& uids, bool more);
  void remark(std::string_view text);  // not when quiet
  void problem(std::string_view text);
  void prompt();

 private:
  void out(const std::string& line);
  void err(const std::string& line);

  const Style style_;
  std::mutex mutex_;
};

}  // namespace hongyan::chat
