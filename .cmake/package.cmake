# cpack -G DEB: a Debian package that knows the libraries it needs.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME clonewire)
set(CPACK_PACKAGE_CONTACT "The clonewire developers <clonewire@invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"A source reads a disk (raw or qcow2, plain or in gzip or xz, a file or a
block device) and a target writes it, with mutually authenticated TLS in
between. Holes and zeros are neither sent nor written, and both ends end well
only when the copy is equal, proven by a digest, and durable.")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
