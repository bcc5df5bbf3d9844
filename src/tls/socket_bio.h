/*
 * socket_bio.h - a blocking socket as OpenSSL sees it, in large pieces.
 *
 * OpenSSL's own socket BIO makes a system call for each 16 KiB record.  This
 * one gathers records into one send(2) and takes many by one recv(2).
 * Private to net/conn*.c.
 */
#ifndef CW_TLS_SOCKET_BIO_H
#define CW_TLS_SOCKET_BIO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/bio.h>

struct socket_bio {
    int fd; /* borrowed */

    /* The next recv(2) returns at once; OpenSSL is told to retry. */
    bool is_dontwait;

    /* Waits end here (clock_now_ns), with ETIMEDOUT; 0: they do not. */
    uint64_t deadline_ns;

    /* Readable: waits with a deadline end with ECANCELED; 0: none. */
    int stop_fd;

    /* How the socket ended, if it did. */
    bool is_eof;
    int recv_errnum;
    int send_errnum;

    /* Read by other threads, too. */
    _Atomic uint64_t sent_bytes, received_bytes;
    uint64_t waited_ns; /* inside blocking send(2) and recv(2) */

    size_t capacity;
    uint8_t *out, *in;     /* owned, capacity each */
    size_t out_len;        /* gathered */
    size_t in_pos, in_len; /* received and not yet read */
};

/* The BIO type whose data is a struct socket_bio.  Owned by the caller
 * (BIO_meth_free); NULL: out of memory. */
BIO_METHOD *socket_bio_method(void);

/* False: out of memory.  socket_bio_fini() is safe after either. */
bool socket_bio_init(struct socket_bio *bio, int fd, size_t capacity);
void socket_bio_fini(struct socket_bio *bio);

#endif
