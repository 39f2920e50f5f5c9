#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

namespace hongyan::test {

namespace {
constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};
}  // namespace

RawClient::RawClient(std::uint16_t port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
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

bool RawClient::fill() {
  std::array<char, 16'384> bytes;
  const auto got = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (got <= 0) {
    closed_ = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return false;
  }
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawClient::read_until(std::string_view end) {
  for (;;) {
    const auto at = buffer_.find(end);
    if (at != std::string::npos || !fill()) {
      const auto size = at == std::string::npos ? buffer_.size() : at + end.size();
      std::string out = buffer_.substr(0, size);
      buffer_.erase(0, size);
      return out;
    }
  }
}

std::string RawClient::read_response(bool head_only) {
  std::string response = read_until("\r\n\r\n");
  static constexpr std::string_view kLength = "Content-Length: ";
  const auto at = response.find(kLength);
  if (head_only || at == std::string::npos) return response;
  std::size_t length = 0;
  std::from_chars(response.data() + at + kLength.size(), response.data() + response.size(), length);
  while (buffer_.size() < length && fill()) {
  }
  response += buffer_.substr(0, length);
  buffer_.erase(0, length);
  return response;
}

std::string RawClient::read_all() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

}  // namespace hongyan::test
