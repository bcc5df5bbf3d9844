#include "tls/socket_bio.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

/* Whole cache lines: memcpy's fast path, and no false sharing. */
enum {
    BUFFER_ALIGN = 64
};

/* Waits for events until the deadline.  Returns 0 or an errno value. */
static int wait_for(const struct socket_bio *bio, short events)
{
    struct pollfd fds[] = {
        { .fd = bio->fd, .events = events },
        { .fd = bio->stop_fd > 0 ? bio->stop_fd : -1, .events = POLLIN },
    };

    for (;;) {
        int ms = clock_until_ms(bio->deadline_ns);
        int n = ms == 0 ? 0 : poll(fds, 2, ms);

        if (n > 0)
            return fds[1].revents != 0 ? ECANCELED : 0;
        if (n == 0)
            return ETIMEDOUT;
        if (errno != EINTR)
            return errno;
    }
}

/*
 * Decides what to do after a call that failed with errnum: 0 = call again.
 *
 * EAGAIN with a deadline only means that the socket is not ready any longer;
 * without one, that the socket's own timeout (SO_SNDTIMEO) has passed.
 */
static int try_again(const struct socket_bio *bio, int errnum)
{
    if (errnum == EINTR)
        return 0;
    if (errnum == EAGAIN)
        return bio->deadline_ns ? 0 : ETIMEDOUT;
    return errnum;
}

static void count(struct socket_bio *bio, _Atomic uint64_t *counter, size_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
    if (bio->total_bytes)
        atomic_fetch_add_explicit(bio->total_bytes, n, memory_order_relaxed);
}

/* Sends all gathered bytes.  Returns 0 or an errno value. */
static int send_gathered(struct socket_bio *bio)
{
    int flags = MSG_NOSIGNAL | (bio->deadline_ns ? MSG_DONTWAIT : 0);
    size_t done = 0;
    int r = 0;

    while (done < bio->out_len) {
        uint64_t start_ns;
        ssize_t n;

        if (bio->deadline_ns && (r = wait_for(bio, POLLOUT)) != 0)
            break;
        start_ns = clock_now_ns();
        n = send(bio->fd, bio->out + done, bio->out_len - done, flags);
        bio->waited_ns += clock_now_ns() - start_ns;
        if (n < 0) {
            r = try_again(bio, errno);
            if (r != 0)
                break;
            continue;
        }
        done += (size_t)n;
        count(bio, &bio->sent_bytes, (size_t)n);
    }
    bio->out_len = 0;
    return r;
}

static int bio_flush(struct socket_bio *bio)
{
    int r;

    if (bio->send_errnum != 0)
        return 0;
    r = send_gathered(bio);
    if (r != 0)
        bio->send_errnum = r;
    return r == 0;
}

static int bio_write(BIO *b, const char *data, int len)
{
    struct socket_bio *bio = BIO_get_data(b);
    size_t left = len > 0 ? (size_t)len : 0;

    BIO_clear_retry_flags(b);
    while (left > 0) {
        size_t room = bio->capacity - bio->out_len;
        size_t n = left < room ? left : room;

        if (bio->send_errnum != 0)
            return -1;
        memcpy(bio->out + bio->out_len, data, n);
        bio->out_len += n;
        data += n;
        left -= n;
        if (bio->out_len == bio->capacity && !bio_flush(bio))
            return -1;
    }
    return len;
}

/* Receives what is available, waiting for the first byte.  Returns 0, EAGAIN
 * (only if is_dontwait) or an errno value. */
static int receive(struct socket_bio *bio)
{
    bool is_waiting = bio->deadline_ns && !bio->is_dontwait;
    int flags = bio->deadline_ns || bio->is_dontwait ? MSG_DONTWAIT : 0;

    for (;;) {
        uint64_t start_ns;
        ssize_t n;
        int r;

        if (is_waiting && (r = wait_for(bio, POLLIN)) != 0)
            return r;
        start_ns = clock_now_ns();
        n = recv(bio->fd, bio->in, bio->capacity, flags);
        bio->waited_ns += clock_now_ns() - start_ns;
        if (n >= 0) {
            bio->in_pos = 0;
            bio->in_len = (size_t)n;
            count(bio, &bio->received_bytes, (size_t)n);
            bio->is_eof = n == 0;
            return 0;
        }
        if (errno == EAGAIN && bio->is_dontwait)
            return EAGAIN;
        r = try_again(bio, errno);
        if (r != 0)
            return r;
    }
}

static int bio_read(BIO *b, char *out, int len)
{
    struct socket_bio *bio = BIO_get_data(b);
    size_t n;

    BIO_clear_retry_flags(b);
    if (len <= 0 || bio->is_eof)
        return 0;
    if (bio->in_pos == bio->in_len) {
        int r = receive(bio);

        if (r == EAGAIN) {
            BIO_set_retry_read(b);
            return -1;
        }
        if (r != 0) {
            bio->recv_errnum = r;
            return -1;
        }
    }
    n = bio->in_len - bio->in_pos;
    if (n > (size_t)len)
        n = (size_t)len;
    memcpy(out, bio->in + bio->in_pos, n);
    bio->in_pos += n;
    return (int)n;
}

static long bio_ctrl(BIO *b, int command, long number, void *pointer)
{
    struct socket_bio *bio = BIO_get_data(b);

    (void)number, (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH: return bio_flush(bio);
    case BIO_CTRL_EOF: return bio->is_eof;
    case BIO_CTRL_PENDING: return (long)(bio->in_len - bio->in_pos);
    case BIO_CTRL_WPENDING: return (long)bio->out_len;
    default: return 0;
    }
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

BIO_METHOD *socket_bio_method(void)
{
    int type = BIO_get_new_index();
    BIO_METHOD *method;

    if (type < 0)
        return NULL;
    method = BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "batched socket");
    if (!method)
        return NULL;
    BIO_meth_set_create(method, bio_create);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

bool socket_bio_init(struct socket_bio *bio, int fd, size_t capacity)
{
    *bio = (struct socket_bio){ .fd = fd, .capacity = capacity };
    bio->out = aligned_alloc(BUFFER_ALIGN, capacity);
    bio->in = aligned_alloc(BUFFER_ALIGN, capacity);
    return bio->out && bio->in;
}

void socket_bio_fini(struct socket_bio *bio)
{
    free(bio->out);
    free(bio->in);
    *bio = (struct socket_bio){ .fd = -1 };
}
