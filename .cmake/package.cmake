# cpack -G DEB: Debian packages that know the libraries they need: the programs,
# the shared library, and what a program that embeds it is built with.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME clonewire)
set(CPACK_PACKAGE_CONTACT "The clonewire developers <clonewire@invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL programs library development)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME clonewire)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libclonewire${CW_SOVERSION})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/triggers)
file(WRITE ${PROJECT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libclonewire-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libclonewire${CW_SOVERSION} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"A source reads a disk (raw or qcow2, plain or in gzip or xz, a file or a
block device) and a target writes it, with mutually authenticated TLS in
between. Holes and zeros are neither sent nor written, and both ends end well
only when the copy is equal, proven by a digest, and durable.")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
