# What `cmake --install` installs, by component: gate, logic, iplist, tools, client, web. CPack makes a package of each
# (cmake/packages.cmake), with what only Debian has besides (components NAME_debian, which a plain install leaves out).

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(HONGYAN_DATA ${CMAKE_INSTALL_DATADIR}/hongyan)

# hongyan_install_program(hongyan-gate COMPONENT gate SECTION 8)
# With its manual page and bash completion, made from what it says about itself; section 8 is what only root needs.
function(hongyan_install_program NAME)
  cmake_parse_arguments(ARG "" "COMPONENT;SECTION" "" ${ARGN})
  set(folder ${CMAKE_INSTALL_BINDIR})
  if(ARG_SECTION EQUAL 8)
    set(folder ${CMAKE_INSTALL_SBINDIR})
  endif()
  install(TARGETS ${NAME} RUNTIME DESTINATION ${folder} COMPONENT ${ARG_COMPONENT})
  if(HONGYAN_SANITIZE)
    return()
  endif()
  set(out ${PROJECT_BINARY_DIR}/manual)
  add_custom_command(OUTPUT ${out}/${NAME}.${ARG_SECTION}.gz ${out}/${NAME}
    COMMAND ${PROJECT_SOURCE_DIR}/tools/manual --program $<TARGET_FILE:${NAME}> --section ${ARG_SECTION} --out ${out}
    DEPENDS ${NAME} ${PROJECT_SOURCE_DIR}/tools/manual
    COMMENT "Manual page of ${NAME}" VERBATIM)
  add_custom_target(${NAME}_manual ALL DEPENDS ${out}/${NAME}.${ARG_SECTION}.gz)
  add_dependencies(hongyan_manual ${NAME}_manual)
  install(FILES ${out}/${NAME}.${ARG_SECTION}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${ARG_SECTION} COMPONENT ${ARG_COMPONENT})
  install(FILES ${out}/${NAME} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT ${ARG_COMPONENT})
endfunction()
add_custom_target(hongyan_manual)

# A daemon with its unit and a sample of its configuration. The unit names the program where it is installed.
function(hongyan_install_daemon ROLE)
  hongyan_install_program(hongyan-${ROLE} COMPONENT ${ROLE} SECTION 8)
  install(FILES ${PROJECT_SOURCE_DIR}/deploy/config/${ROLE}.toml DESTINATION ${HONGYAN_DATA}/config COMPONENT ${ROLE})
  set(unit hongyan-${ROLE}@.service)
  install(CODE "
    file(READ \"${PROJECT_SOURCE_DIR}/deploy/systemd/${unit}\" text)
    string(REPLACE \"@SBINDIR@\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}\" text \"\${text}\")
    set(unit \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/${unit}\")
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${unit}\")
    file(WRITE \"\$ENV{DESTDIR}\${unit}\" \"\${text}\")
    file(CHMOD \"\$ENV{DESTDIR}\${unit}\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    " COMPONENT ${ROLE})
endfunction()
hongyan_install_daemon(gate)
hongyan_install_daemon(logic)
hongyan_install_daemon(iplist)

foreach(program hongyanctl hongyan-chat hongyan-bench)
  hongyan_install_program(${program} COMPONENT tools SECTION 1)
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/deploy/sql ${PROJECT_SOURCE_DIR}/deploy/monitoring DESTINATION ${HONGYAN_DATA} COMPONENT tools)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT tools)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT tools)

if(HONGYAN_JAVASCRIPT)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/page DESTINATION ${HONGYAN_DATA} COMPONENT web)
endif()

# The C++ client: one archive of all that it consists of, and the headers that client/cpp/client.h leads to.
set(parts hongyan_client hongyan_client_core hongyan_common_http hongyan_common_protocol hongyan_common_net hongyan_common_log
  hongyan_common_base hongyan_boost_impl hongyan_proto)
set(objects ${parts})
list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")
add_library(hongyan-client STATIC ${objects})
add_dependencies(hongyan-client ${parts})
set_target_properties(hongyan-client PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME client)
target_compile_features(hongyan-client INTERFACE cxx_std_23)
target_include_directories(hongyan-client INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/hongyan>)
get_target_property(definitions hongyan_boost INTERFACE_COMPILE_DEFINITIONS)
target_compile_definitions(hongyan-client INTERFACE ${definitions})
target_link_libraries(hongyan-client INTERFACE
  Boost::headers Threads::Threads protobuf::libprotobuf OpenSSL::SSL OpenSSL::Crypto spdlog::spdlog fmt::fmt xxhash)
install(TARGETS hongyan-client EXPORT HongyanClient ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT client)
install(EXPORT HongyanClient NAMESPACE Hongyan:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/HongyanClient
  FILE HongyanClientTargets.cmake COMPONENT client)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/HongyanClientConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/HongyanClientConfig.cmake ${PROJECT_BINARY_DIR}/HongyanClientConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/HongyanClient COMPONENT client)

list(TRANSFORM definitions PREPEND "-D" OUTPUT_VARIABLE flags)
list(JOIN flags " " HONGYAN_CLIENT_DEFINITIONS)
configure_file(${PROJECT_SOURCE_DIR}/cmake/hongyan-client.pc.in ${PROJECT_BINARY_DIR}/hongyan-client.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hongyan-client.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT client)

set(HONGYAN_CLIENT_HEADERS
  client/cpp/client.h client/cpp/group.h client/cpp/message.h client/cpp/outgoing.h client/cpp/transport.h client/cpp/types.h
  client/cpp/outputs.h client/cpp/pace.h client/cpp/send_line.h client/cpp/send_queue.h
  common/base/assert.h common/base/backoff.h common/base/clock.h common/base/endpoint.h common/base/result.h
  common/net/asio.h common/net/event_loop.h common/net/loop_pulse.h
  common/protocol/ids.h common/protocol/transport_kind.h)
foreach(header ${HONGYAN_CLIENT_HEADERS})
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hongyan/${folder} COMPONENT client)
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/generated/proto/client.pb.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hongyan/proto COMPONENT client)
install(FILES ${PROJECT_SOURCE_DIR}/client/cpp/README.md ${PROJECT_SOURCE_DIR}/examples/chat.cpp ${PROJECT_SOURCE_DIR}/examples/echo_bot.cpp
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libhongyan-client-dev/examples COMPONENT client)
