# What many files include, compiled once: the standard library, Asio, protobuf, fmt, JSON (and GoogleTest for tests).
# That saves some 40 % of the time of a file that is not optimized. HONGYAN_PRECOMPILED=OFF shows files that forgot an include.
option(HONGYAN_PRECOMPILED "Compile common headers once" ON)

# All who use a precompiled header must have been told the same.
add_library(hongyan_precompiled_flags INTERFACE)
target_link_libraries(hongyan_precompiled_flags INTERFACE hongyan_boost fmt::fmt nlohmann_json::nlohmann_json
  protobuf::libprotobuf)
# Asio's headers name symbols of its library wherever they are included.
target_link_libraries(hongyan_precompiled_flags INTERFACE $<LINK_ONLY:hongyan_boost_impl>)
# The time of a header is no part of it, so that ccache knows it again (and looks at contents).
target_compile_options(hongyan_precompiled_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")

set(HONGYAN_PRECOMPILED_HEADERS
  <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstdint> <deque> <expected> <functional> <map>
  <memory> <mutex> <optional> <random> <set> <span> <sstream> <string> <string_view> <thread> <unordered_map>
  <unordered_set> <utility> <variant> <vector>
  <fmt/format.h> <nlohmann/json.hpp> <boost/intrusive/list.hpp>
  <google/protobuf/arena.h> <google/protobuf/extension_set.h> <google/protobuf/generated_enum_reflection.h> <google/protobuf/message.h>
  <google/protobuf/repeated_field.h> <google/protobuf/unknown_field_set.h>
  <boost/asio/awaitable.hpp> <boost/asio/buffer.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp>
  <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp> <boost/asio/redirect_error.hpp> <boost/asio/steady_timer.hpp>
  <boost/asio/use_awaitable.hpp>)

# A target for others to take the header from (target_precompile_headers … REUSE_FROM).
function(hongyan_precompile NAME)
  set(source ${PROJECT_BINARY_DIR}/generated/${NAME}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Carries a precompiled header.\n")
  add_library(${NAME} OBJECT ${source})
  target_link_libraries(${NAME} PRIVATE hongyan_precompiled_flags ${ARGN})
  target_precompile_headers(${NAME} PRIVATE ${HONGYAN_PRECOMPILED_HEADERS})
endfunction()
hongyan_precompile(hongyan_precompiled)
hongyan_precompile(hongyan_precompiled_tests GTest::gtest GTest::gmock)
# Test programs run once: their own files are not worth optimizing, which takes a third of the time of compiling them. What they
# test is a library, and optimized as for the daemons.
set(HONGYAN_TEST_OPTIONS -O0)
target_compile_options(hongyan_precompiled_tests PRIVATE ${HONGYAN_TEST_OPTIONS})
target_precompile_headers(hongyan_precompiled_tests PRIVATE <gmock/gmock.h> <gtest/gtest.h>)

# hongyan_use_precompiled(TARGET hongyan_precompiled)
function(hongyan_use_precompiled TARGET FROM)
  target_link_libraries(${TARGET} PRIVATE hongyan_precompiled_flags)
  if(HONGYAN_PRECOMPILED)
    target_precompile_headers(${TARGET} REUSE_FROM ${FROM})
  endif()
endfunction()
