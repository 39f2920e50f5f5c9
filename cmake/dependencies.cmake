# Every dependency is a package of Debian 12; deploy/packages lists them by purpose.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(Protobuf 3.21 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka)
if(HONGYAN_SANITIZE MATCHES "thread")
  add_library(hongyan_c11_threads STATIC ${CMAKE_CURRENT_LIST_DIR}/tsan/c11_threads.cpp)
  # Nothing of ours names these functions: kept, and visible, for the shared library that does.
  target_link_options(hongyan_c11_threads INTERFACE -Wl,-u,thrd_create -Wl,--export-dynamic-symbol=thrd_*
    -Wl,--export-dynamic-symbol=mtx_* -Wl,--export-dynamic-symbol=cnd_*)
  target_link_libraries(PkgConfig::rdkafka INTERFACE hongyan_c11_threads)
endif()
pkg_check_modules(mariadb REQUIRED IMPORTED_TARGET libmariadb)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)

# Boost.Asio and Beast are compiled once, in common/net/boost_impl.cpp, not in each file.
# Boost 1.74 recognizes clang's coroutines only when told.
add_library(hongyan_boost INTERFACE)
target_link_libraries(hongyan_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(hongyan_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_HAS_CO_AWAIT
  BOOST_ASIO_HAS_STD_COROUTINE
  BOOST_ASIO_NO_DEPRECATED
  BOOST_ERROR_CODE_HEADER_ONLY)
