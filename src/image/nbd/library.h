/*
 * library.h - libnbd, which is loaded when an NBD export is opened: with GnuTLS,
 * libxml2 and ICU it takes as long to load as all the rest of a program, and
 * 40 MB, which a clone of a file needs not.
 */
#ifndef CW_IMAGE_NBD_LIBRARY_H
#define CW_IMAGE_NBD_LIBRARY_H

#include <libnbd.h>

#include "base/error.h"

/* The functions that we call, without "nbd_". */
#define NBD_FUNCTIONS(X)    \
    X(add_meta_context)     \
    X(aio_block_status)     \
    X(aio_connect_uri)      \
    X(aio_get_direction)    \
    X(aio_get_fd)           \
    X(aio_is_closed)        \
    X(aio_is_connecting)    \
    X(aio_is_dead)          \
    X(aio_is_ready)         \
    X(aio_pread)            \
    X(aio_pread_structured) \
    X(can_meta_context)     \
    X(can_multi_conn)       \
    X(close)                \
    X(create)               \
    X(get_block_size)       \
    X(get_errno)            \
    X(get_error)            \
    X(get_size)             \
    X(poll)                 \
    X(set_pread_initialize) \
    X(set_tls_certificates) \
    X(set_tls_psk_file)     \
    X(set_tls_username)     \
    X(set_uri_allow_local_file)

struct nbd_library {
#define NBD_FIELD(name) __typeof__(nbd_##name) *(name);
    NBD_FUNCTIONS(NBD_FIELD)
#undef NBD_FIELD
};

/* Filled by nbd_library_load(). */
extern struct nbd_library libnbd;

/* Any thread.  Fails with ERROR_SYSTEM if libnbd.so.0 is not installed. */
int nbd_library_load(struct error *err);

#endif
