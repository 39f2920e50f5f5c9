# Debian packages out of a build tree (cpack --config BUILD_DIR/CPackConfig.cmake), one a role, from the components of
# cmake/install.cmake. A component NAME_debian has what only a package has: configuration in /etc, the changelog.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hongyan)
set(CPACK_PACKAGE_VENDOR Hongyan)
set(CPACK_PACKAGE_CONTACT "Hongyan <hongyan@localhost>" CACHE STRING "The maintainer whom packages name")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENTS_ALL)

# The same changelog for all: what changed stands in the project's own.
set(debian ${PROJECT_BINARY_DIR}/debian)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(CONFIGURE OUTPUT ${debian}/changelog.Debian @ONLY CONTENT
"hongyan (@PROJECT_VERSION@-1) stable; urgency=medium

  * Version @PROJECT_VERSION@; see CHANGELOG.md of hongyan-tools.

 -- @CPACK_PACKAGE_CONTACT@  @now@
")

# hongyan_package(gate NAME hongyan-gate SUMMARY "…" TEXT "…" [SECTION net] [KEY VALUE of CPACK_DEBIAN_…]…)
macro(hongyan_package COMPONENT)
  cmake_parse_arguments(ARG "" "NAME;SUMMARY;TEXT;SECTION;DEPENDS;RECOMMENDS;SUGGESTS;ARCHITECTURE" "" ${ARGN})
  string(TOUPPER ${COMPONENT} upper)
  list(APPEND CPACK_COMPONENTS_ALL ${COMPONENT} ${COMPONENT}_debian)
  set(CPACK_COMPONENT_${upper}_GROUP ${COMPONENT})
  set(CPACK_COMPONENT_${upper}_DEBIAN_GROUP ${COMPONENT})
  set(CPACK_COMPONENT_GROUP_${upper}_DESCRIPTION "${ARG_TEXT}")
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${ARG_NAME})
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${ARG_SUMMARY}\n${ARG_TEXT}")
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${ARG_SECTION})
  foreach(field DEPENDS RECOMMENDS SUGGESTS ARCHITECTURE)
    if(ARG_${field})
      set(CPACK_DEBIAN_${upper}_PACKAGE_${field} "${ARG_${field}}")
    endif()
  endforeach()
  set(doc /usr/share/doc/${ARG_NAME})
  install(FILES ${PROJECT_SOURCE_DIR}/deploy/debian/copyright DESTINATION ${doc} COMPONENT ${COMPONENT}_debian EXCLUDE_FROM_ALL)
  install(CODE "
    set(changelog \"\$ENV{DESTDIR}${doc}/changelog.Debian\")
    file(COPY_FILE \"${debian}/changelog.Debian\" \"\${changelog}\")
    execute_process(COMMAND gzip -9nf \"\${changelog}\" COMMAND_ERROR_IS_FATAL ANY)
    " COMPONENT ${COMPONENT}_debian EXCLUDE_FROM_ALL)
endmacro()

# A daemon: its sample as the first instance's configuration, and the scripts that make the user and enable the unit.
macro(hongyan_daemon_package ROLE)
  hongyan_package(${ROLE} NAME hongyan-${ROLE} SECTION net DEPENDS adduser ${ARGN})
  set(ROLE ${ROLE})
  foreach(script postinst prerm postrm)
    configure_file(${PROJECT_SOURCE_DIR}/deploy/debian/${script}.in ${debian}/${ROLE}/${script} @ONLY)
  endforeach()
  file(CONFIGURE OUTPUT ${debian}/${ROLE}/conffiles CONTENT "/etc/hongyan/${ROLE}-1.toml\n")
  string(TOUPPER ${ROLE} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA
    "${debian}/${ROLE}/postinst;${debian}/${ROLE}/prerm;${debian}/${ROLE}/postrm;${debian}/${ROLE}/conffiles")
  install(FILES ${PROJECT_SOURCE_DIR}/deploy/config/${ROLE}.toml DESTINATION /etc/hongyan RENAME ${ROLE}-1.toml
    COMPONENT ${ROLE}_debian EXCLUDE_FROM_ALL)
endmacro()

hongyan_daemon_package(gate SUMMARY "instant-messaging backend: gate"
  TEXT "A gate keeps the connections of clients (TCP, TLS, WebSocket) and\nforwards what they send to a logic node.")
hongyan_daemon_package(logic SUGGESTS "default-mysql-server, redis-server" SUMMARY "instant-messaging backend: logic node"
  TEXT "A logic node stores messages in MySQL and delivers them; one leads and the\nothers stand by.")
hongyan_daemon_package(iplist SUGGESTS hongyan-web SUMMARY "instant-messaging backend: directory"
  TEXT "The directory tells clients where the gates are, and daemons where the\nlogic nodes are.")
hongyan_package(tools NAME hongyan-tools SECTION net SUMMARY "instant-messaging backend: tools and documentation"
  TEXT "hongyanctl applies the database's schema, hongyan-chat is a client for a\nterminal, hongyan-bench puts load on a cluster.")
hongyan_package(client NAME libhongyan-client-dev SECTION libdevel SUMMARY "instant-messaging backend: C++ client library"
  TEXT "Headers, static library, CMake package HongyanClient and pkg-config file\nhongyan-client."
  DEPENDS "libboost-dev, libprotobuf-dev, libssl-dev, libspdlog-dev, libfmt-dev, libxxhash-dev")
if(HONGYAN_JAVASCRIPT)
  hongyan_package(web NAME hongyan-web SECTION web ARCHITECTURE all RECOMMENDS hongyan-iplist
    SUMMARY "instant-messaging backend: chat page" TEXT "A chat page for browsers, which hongyan-iplist serves.")
  set(CPACK_DEBIAN_WEB_PACKAGE_SHLIBDEPS OFF)
endif()
set(CPACK_DEBIAN_CLIENT_PACKAGE_SHLIBDEPS OFF)
include(CPack)
