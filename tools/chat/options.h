// The command line of hongyan-chat.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cpp/outgoing.h"
#include "client/cpp/transport.h"

namespace hongyan::chat {

struct Options {
  client::TransportKind transport = client::TransportKind::kTcp;
  client::TransportFactory transports = client::make_tcp_transport;
  std::vector<Endpoint> gates = {};
  std::vector<std::string> iplist = {};
  std::string api = {};
  std::string api_key = {};
  std::string token = {};
  std::string app{protocol::kDefaultApp};
  std::string user = {};
  std::string device = {};  // empty: a random one
  client::DeviceType device_type = client::DEVICE_TYPE_LINUX;
  std::optional<std::int64_t> from_seq = {};
  struct Send {
    std::string to = {};  // for people to read
    client::Outgoing what = {};
  };
  std::vector<Send> sends = {};
  std::optional<double> wait_seconds = {};
  std::optional<std::int64_t> wait_count = {};
  double timeout_seconds = 30;  // for each send and pull
  bool json = false;
  bool pull = false;
  bool quiet = false;
  bool verbose = false;
  std::string help = {};  // to be shown instead of anything else

  // No one types: do what the options say, then exit.
  [[nodiscard]] bool scripted() const noexcept {
    return !sends.empty() || wait_seconds || wait_count || pull;
  }
};

// What is not given comes from --env's file, then from the environment (HONGYAN_API_KEY, HONGYAN_TOKEN).
// Errors: kBadRequest, for a person to read.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments);

}  // namespace hongyan::chat
