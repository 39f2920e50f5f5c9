#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"

namespace hongyan::test {

RawClient::RawClient(const Endpoint& endpoint, int receive_buffer)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  constexpr timeval kSendPatience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kSendPatience, sizeof kSendPatience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  ::inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close();
    closed_ = true;
  }
}

void RawClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::shutdown_send() { ::shutdown(fd_, SHUT_WR); }

bool RawClient::receive(SteadyTime deadline) {
  const auto left = std::chrono::ceil<Milliseconds>(deadline - SteadyClock::now()).count();
  if (closed_ || left <= 0) return false;
  pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, static_cast<int>(left)) <= 0) return false;
  std::array<char, 65'536> bytes;
  const auto got = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (got <= 0) {
    closed_ = true;
    return false;
  }
  input_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

bool RawClient::fill(std::size_t size, SteadyTime deadline) {
  while (input_.size() < size) {
    if (!receive(deadline)) return false;
  }
  return true;
}

std::string RawClient::take(std::size_t size) {
  std::string out = input_.substr(0, size);
  input_.erase(0, size);
  return out;
}

std::string RawClient::read_until(std::string_view end) {
  const SteadyTime deadline = SteadyClock::now() + kPatience;
  for (;;) {
    const auto at = input_.find(end);
    if (at != std::string::npos) return take(at + end.size());
    if (!receive(deadline)) return take(input_.size());
  }
}

std::string RawClient::read_response(bool head_only) {
  std::string response = read_until("\r\n\r\n");
  static constexpr std::string_view kLength = "Content-Length: ";
  const auto at = response.find(kLength);
  if (head_only || at == std::string::npos) return response;
  const auto digits = at + kLength.size();
  const auto length = parse_number<std::size_t>(
      std::string_view(response).substr(digits, response.find('\r', digits) - digits));
  static_cast<void>(fill(length.value_or(0)));
  return response + take(std::min(length.value_or(0), input_.size()));
}

std::string RawClient::read_all() {
  while (receive(SteadyClock::now() + kPatience)) {
  }
  return std::exchange(input_, {});
}

bool RawClient::wait_closed(Milliseconds limit) {
  const SteadyTime deadline = SteadyClock::now() + limit;
  while (receive(deadline)) input_.clear();
  return closed_;
}

}  // namespace hongyan::test
