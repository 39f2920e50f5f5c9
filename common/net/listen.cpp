#include "common/net/listen.h"

#include <boost/asio/detail/socket_option.hpp>

namespace hongyan::net {

namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

Result<Tcp::endpoint> endpoint_of(const std::string& host, std::uint16_t port) {
  if (host.empty()) return Tcp::endpoint(Tcp::v4(), port);
  error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec) return fail(Code::kBadRequest, host + ": not an address");
  return Tcp::endpoint(address, port);
}

Status open(TcpAcceptor& acceptor, const std::string& host, std::uint16_t port, bool share, int backlog) {
  const auto endpoint = endpoint_of(host, port);
  if (!endpoint) return std::unexpected(endpoint.error());
  error_code ec;
  acceptor.open(endpoint->protocol(), ec);
  if (!ec) acceptor.set_option(TcpAcceptor::reuse_address(true), ec);
  if (!ec && share) acceptor.set_option(ReusePort(true), ec);
  if (!ec) acceptor.bind(*endpoint, ec);
  if (!ec) acceptor.listen(backlog, ec);
  if (ec) {
    error_code ignored;
    acceptor.close(ignored);
    return fail(Code::kUnavailable,
                (host.empty() ? "0.0.0.0" : host) + ":" + std::to_string(port) + ": " + ec.message());
  }
  return {};
}

}  // namespace

std::string check_listen_host(const std::string& host) {
  const auto endpoint = endpoint_of(host, 0);
  return endpoint ? std::string() : endpoint.error().message;
}

Status listen(TcpAcceptor& acceptor, const std::string& host, std::uint16_t port, int backlog) {
  return open(acceptor, host, port, false, backlog);
}

Status listen_shared(TcpAcceptor& acceptor, const std::string& host, std::uint16_t port, bool first,
                     int backlog) {
  // A port that another process shares would be taken unnoticed: try it alone first.
  if (first && port != 0) {
    TcpAcceptor probe(acceptor.get_executor());
    if (auto alone = open(probe, host, port, false, 1); !alone) return alone;
  }
  return open(acceptor, host, port, true, backlog);
}

}  // namespace hongyan::net
