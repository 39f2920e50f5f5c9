// The one way to include Boost.Asio: <utility> must come before it with clang 19 (Boost 1.74), and our
// executor type is fixed, which spares the type-erased any_io_executor on every operation.
#pragma once

#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace hongyan::net {

namespace asio = boost::asio;
using boost::system::error_code;

using Executor = asio::io_context::executor_type;

// A coroutine of an event loop. Parameters are taken by value; lambdas used as coroutines capture nothing.
template <typename T = void>
using Awaitable = asio::awaitable<T, Executor>;

inline constexpr asio::use_awaitable_t<Executor> kUseAwaitable{};

using Tcp = asio::ip::tcp;
using TcpSocket = asio::basic_stream_socket<Tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using TcpResolver = asio::ip::basic_resolver<Tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

// co_await socket.async_connect(endpoint, await(ec)): errors land in ec, nothing is thrown.
[[nodiscard]] inline auto await(error_code& ec) { return asio::redirect_error(kUseAwaitable, ec); }

}  // namespace hongyan::net
