/*
 * socket_bio.h - a BIO on a blocking socket that transfers large pieces.
 *
 * OpenSSL's own socket BIO makes a system call for each 16 KiB record.  This
 * one gathers records into one send(2) and receives many with one recv(2).
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

    /* The next recv(2) does not block; OpenSSL then sees a retry. */
    bool is_dontwait;

    /* Waits fail with ETIMEDOUT at this time (clock_now_ns); 0: never. */
    uint64_t deadline_ns;

    /* When readable, waits with a deadline fail with ECANCELED; 0: none. */
    int stop_fd;

    /* How the socket ended, if it has. */
    bool is_eof;
    int recv_errnum;
    int send_errnum;

    /* Other threads read these. */
    _Atomic uint64_t sent_bytes, received_bytes;
    _Atomic uint64_t *total_bytes; /* counts both as well; NULL: none */
    uint64_t waited_ns;            /* inside blocking send(2) and recv(2) */

    size_t capacity;
    uint8_t *out, *in;     /* owned, capacity each */
    size_t out_len;        /* bytes gathered */
    size_t in_pos, in_len; /* received and not yet read */
};

/* The BIO type whose data is a struct socket_bio.  Owned by the caller
 * (BIO_meth_free); NULL if out of memory. */
BIO_METHOD *socket_bio_method(void);

/* Returns false if out of memory.  socket_bio_fini() is safe in both cases. */
bool socket_bio_init(struct socket_bio *bio, int fd, size_t capacity);
void socket_bio_fini(struct socket_bio *bio);

#endif
