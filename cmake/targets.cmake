# Refuses to build what includes a higher folder from a lower one.
add_custom_target(hongyan_arrows ALL COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tools/arrows --check VERBATIM)

# hongyan_library(NAME common_base SRCS a.cpp b.cpp DEPS common_net PRIVATE_DEPS x)
# A static library hongyan_NAME, included by paths from the root of the repository.
function(hongyan_library)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(hongyan_${ARG_NAME} STATIC ${ARG_SRCS})
  add_dependencies(hongyan_${ARG_NAME} hongyan_arrows)
  target_include_directories(hongyan_${ARG_NAME} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(hongyan_${ARG_NAME} PUBLIC ${ARG_DEPS} PRIVATE hongyan_warnings ${ARG_PRIVATE_DEPS})
  hongyan_use_precompiled(hongyan_${ARG_NAME} hongyan_precompiled)
endfunction()

# hongyan_program(NAME hongyan-gate SRCS main.cpp DEPS ...)
function(hongyan_program)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SRCS})
  target_include_directories(${ARG_NAME} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${ARG_NAME} PRIVATE hongyan_warnings ${ARG_DEPS})
  hongyan_use_precompiled(${ARG_NAME} hongyan_precompiled)
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# Every test program that needs nothing but this machine: what continuous integration builds with sanitizers.
add_custom_target(hongyan_unit_and_net_tests)

# hongyan_test(NAME common_base SRCS a_test.cpp DEPS hongyan_common_base LABELS unit TIMEOUT 60)
# One GoogleTest program, one ctest entry. LABELS tell what it needs: unit (the default) nothing, net sockets on loopback,
# the others a back-end. LAUNCHER is put before the program.
function(hongyan_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SRCS;DEPS;LABELS;COMMAND_ARGS;LAUNCHER" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(test_${ARG_NAME} ${ARG_SRCS})
  target_include_directories(test_${ARG_NAME} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(test_${ARG_NAME} PRIVATE hongyan_warnings ${ARG_DEPS} GTest::gtest_main GTest::gmock)
  target_compile_options(test_${ARG_NAME} PRIVATE ${HONGYAN_TEST_OPTIONS})
  hongyan_use_precompiled(test_${ARG_NAME} hongyan_precompiled_tests)
  set_target_properties(test_${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_LAUNCHER} $<TARGET_FILE:test_${ARG_NAME}> ${ARG_COMMAND_ARGS})
  set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
  if("unit" IN_LIST ARG_LABELS OR "net" IN_LIST ARG_LABELS)
    add_dependencies(hongyan_unit_and_net_tests test_${ARG_NAME})
  endif()
endfunction()

# hongyan_cluster_test(NAME e2e_chat SRCS chat_test.cpp DEPS hongyan_client CLUSTER --gates 2 TIMEOUT 300)
# As hongyan_test, label e2e, against a private cluster of its own (tests/support/with-cluster): the program finds
# DIR/env in its environment. CLUSTER: options of `dev-cluster up`.
function(hongyan_cluster_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SRCS;DEPS;LABELS;COMMAND_ARGS;CLUSTER" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  hongyan_test(NAME ${ARG_NAME} SRCS ${ARG_SRCS} DEPS ${ARG_DEPS} LABELS e2e ${ARG_LABELS}
    TIMEOUT ${ARG_TIMEOUT} COMMAND_ARGS ${ARG_COMMAND_ARGS}
    LAUNCHER ${PROJECT_SOURCE_DIR}/tests/support/with-cluster --build-dir ${PROJECT_BINARY_DIR} ${ARG_CLUSTER} --)
endfunction()

# hongyan_script_test(NAME deploy_ports SCRIPT deploy/ports_test.py LABELS unit TIMEOUT 60)
# A Python program whose exit status tells; it finds HONGYAN_REPO and HONGYAN_BUILD_DIR in its environment. CLUSTER: as
# of hongyan_cluster_test, at least one option.
function(hongyan_script_test)
  cmake_parse_arguments(ARG "" "NAME;SCRIPT;TIMEOUT" "LABELS;CLUSTER" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set(launcher)
  if(ARG_CLUSTER)
    set(launcher ${PROJECT_SOURCE_DIR}/tests/support/with-cluster --build-dir ${PROJECT_BINARY_DIR} ${ARG_CLUSTER} --)
  endif()
  add_test(NAME ${ARG_NAME} COMMAND ${launcher} /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SCRIPT} -v)
  set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "HONGYAN_REPO=${PROJECT_SOURCE_DIR};HONGYAN_BUILD_DIR=${PROJECT_BINARY_DIR}")
endfunction()
