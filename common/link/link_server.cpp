#include "common/link/link_server.h"

#include "common/log/log.h"
#include "common/net/listen.h"

namespace hongyan::link {

LinkServer::LinkServer(std::vector<net::EventLoop*> loops, const Identity& identity, LinkHandler& handler,
                       LinkOptions options)
    : loops_(std::move(loops)),
      identity_(identity),
      handler_(handler),
      options_(options),
      acceptor_(loops_.front()->executor()) {}

Result<std::shared_ptr<LinkServer>> LinkServer::start(std::vector<net::EventLoop*> loops,
                                                      const std::string& host, std::uint16_t port,
                                                      const Identity& identity, LinkHandler& handler,
                                                      LinkOptions options) {
  std::shared_ptr<LinkServer> server(new LinkServer(std::move(loops), identity, handler, options));
  if (auto listening = net::listen(server->acceptor_, host, port); !listening) {
    return std::unexpected(listening.error());
  }
  server->port_ = server->acceptor_.local_endpoint().port();
  server->loops_.front()->spawn("link accept", accept(server));
  return server;
}

void LinkServer::stop() {
  loops_.front()->post([self = shared_from_this()] {
    self->stopped_ = true;
    net::error_code ignored;
    self->acceptor_.close(ignored);
    for (auto& weak : self->links_) {
      if (auto link = weak.lock()) link->close("server stopped");
    }
  });
}

net::Awaitable<> LinkServer::accept(std::shared_ptr<LinkServer> self) {
  while (!self->stopped_) {
    net::EventLoop& loop = *self->loops_[self->next_++ % self->loops_.size()];
    net::TcpSocket socket(loop.executor());
    net::error_code ec;
    co_await self->acceptor_.async_accept(socket, net::await(ec));
    if (self->stopped_) break;
    if (ec) {
      log::warn("link", "accept failed reason={}", ec.message());
      co_await net::sleep_for(Milliseconds(100));  // out of descriptors, most likely
      continue;
    }
    auto link =
        std::make_shared<Link>(loop, std::move(socket), self->identity_, self->handler_, self->options_);
    std::erase_if(self->links_, [](const auto& weak) { return weak.expired(); });
    self->links_.push_back(link);
    loop.spawn("link", Link::run(std::move(link), Side::kServer, 0));
  }
}

}  // namespace hongyan::link
