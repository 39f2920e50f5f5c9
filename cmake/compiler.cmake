# Compiler choice, warnings, sanitizers and build speed.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles co_await in conditions and ternaries "
    "(GCC below 14 does). Use a preset (cmake --preset release), which selects clang 19.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# The same for libraries and programs (CMake's own switch says -fPIE for programs): they share precompiled headers.
add_compile_options(-fPIC)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# Line tables take a seventh of the time of compiling, and packages strip them: preset profile has them.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")

find_program(HONGYAN_CCACHE ccache)
if(HONGYAN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HONGYAN_CCACHE})
endif()

find_program(HONGYAN_LLD NAMES ld.lld-19 ld.lld)
if(HONGYAN_LLD AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_link_options(--ld-path=${HONGYAN_LLD})
endif()

set(HONGYAN_SANITIZE "" CACHE STRING "Comma-separated sanitizers, empty for none")
if(HONGYAN_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
  add_compile_options(-fsanitize=${HONGYAN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HONGYAN_SANITIZE})
endif()

option(HONGYAN_FUZZ "Instrument for libFuzzer, and build hongyan-fuzz" OFF)
if(HONGYAN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Target that own code links: warnings as errors. Generated code does not link it.
add_library(hongyan_warnings INTERFACE)
target_compile_options(hongyan_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror)
