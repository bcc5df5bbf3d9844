# What a program that embeds clonewire needs: the header, a shared and a static
# library, and how to find them by pkg-config and by CMake.
add_library(clonewire_shared SHARED $<TARGET_OBJECTS:clonewire>)
# Structs may grow with each minor version, as long as the version is 0.x.
set(CW_SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(CW_ABI ${PROJECT_SOURCE_DIR}/src/api/clonewire.map)
set_target_properties(clonewire_shared PROPERTIES
  OUTPUT_NAME clonewire EXPORT_NAME clonewire
  VERSION ${PROJECT_VERSION} SOVERSION ${CW_SOVERSION}
  LINK_DEPENDS ${CW_ABI})
target_link_options(clonewire_shared PRIVATE
  -Wl,--gc-sections -Wl,--version-script=${CW_ABI})
target_include_directories(clonewire_shared
  INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(clonewire_shared PRIVATE cw_profile ${ARCHIVE}
  PkgConfig::VENDOR Threads::Threads $<$<BOOL:${IPSEC_MB}>:${IPSEC_MB}>)
add_dependencies(programs clonewire_shared)
if(CW_LTO AND CMAKE_C_COMPILER_ID STREQUAL GNU)
  # The archive is for other compilers and versions, too.
  target_compile_options(clonewire PRIVATE -ffat-lto-objects)
endif()

# Paths relative to these files: a package moves the tree elsewhere.
set(CW_PKGCONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(CW_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/clonewire)
file(RELATIVE_PATH CW_PC_PREFIX /${CW_PKGCONFIG_DIR} /)
string(REGEX REPLACE "/$" "" CW_PC_PREFIX "${CW_PC_PREFIX}")
cmake_path(GET ARCHIVE FILENAME CW_PC_ARCHIVE)
set(CW_PC_LIBS "-Wl,--gc-sections -l:${CW_PC_ARCHIVE}")
if(IPSEC_MB)
  string(APPEND CW_PC_LIBS " -lIPSec_MB")
endif()
configure_file(.cmake/clonewire.pc.in clonewire.pc @ONLY)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(clonewireConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

install(TARGETS clonewire_shared EXPORT clonewire
  LIBRARY COMPONENT library NAMELINK_COMPONENT development)
install(TARGETS clonewire ARCHIVE COMPONENT development)
install(DIRECTORY include/clonewire TYPE INCLUDE COMPONENT development)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)
install(FILES ${PROJECT_BINARY_DIR}/clonewire.pc
  DESTINATION ${CW_PKGCONFIG_DIR} COMPONENT development)
install(EXPORT clonewire NAMESPACE clonewire:: FILE clonewireConfig.cmake
  DESTINATION ${CW_CMAKE_DIR} COMPONENT development)
install(FILES ${PROJECT_BINARY_DIR}/clonewireConfigVersion.cmake
  DESTINATION ${CW_CMAKE_DIR} COMPONENT development)
