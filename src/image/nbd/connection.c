#include "image/nbd/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "image/nbd/library.h"
#include "image/nbd/login.h"

#define CONNECT_NS  (10 * CLOCK_SECOND_NS)
#define ANSWER_NS   (60 * CLOCK_SECOND_NS)
#define PROBE_BYTES 512U
/* A request for more needs a server that allows it. */
#define USUAL_MAX_BYTES (UINT32_C(32) << 20)
/* What the protocol asks of a server that gives no sizes. */
#define USUAL_MIN_BYTES 1U

/* ---- words ---- */

/* What libnbd says of the last failure, without the names of its functions. */
static const char *nbd_reason(void)
{
    const char *text = libnbd.get_error(), *colon;

    while (text && strncmp(text, "nbd_", 4) == 0 &&
           (colon = strstr(text, ": ")) != NULL)
        text = colon + 2;
    return text ? text : "no reason given";
}

static bool is_network_error(int errnum)
{
    switch (errnum) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOTCONN:
    case EPIPE:
    case ESHUTDOWN:
    case ETIMEDOUT: return true;
    default: return false;
    }
}

bool nbd_is_loss(const struct nbd_connection *c, int errnum)
{
    return is_network_error(errnum) || !c->nbd ||
           libnbd.aio_is_dead(c->nbd) > 0 || libnbd.aio_is_closed(c->nbd) > 0;
}

static int fail_connect(const struct nbd_connection *c, struct error *err)
{
    const char *reason = nbd_reason();
    enum error_kind kind = is_network_error(libnbd.get_errno())
                               ? ERROR_TEMPORARY
                           : strstr(reason, "gnutls") ? ERROR_TLS
                                                      : ERROR_SOURCE_IO;

    return error_set(err, kind, 0, "connect to %s: %s", c->uri, reason);
}

/* ---- waiting ---- */

/* Lets libnbd work until it is done, the time is over, or stop_fd says stop.
 * 1: something happened; -1. */
static int nbd_step(struct nbd_connection *c, uint64_t deadline_ns,
                    struct error *err)
{
    unsigned direction = libnbd.aio_get_direction(c->nbd);
    uint64_t now_ns = clock_now_ns();
    struct pollfd fds[] = {
        { .fd = libnbd.aio_get_fd(c->nbd) },
        { .fd = c->stop_fd > 0 ? c->stop_fd : -1, .events = POLLIN },
    };

    if (now_ns >= deadline_ns)
        return error_set(err, ERROR_TEMPORARY, 0,
                         "%s: the NBD server does not answer", c->uri);
    if ((direction & LIBNBD_AIO_DIRECTION_READ) != 0)
        fds[0].events |= POLLIN;
    if ((direction & LIBNBD_AIO_DIRECTION_WRITE) != 0)
        fds[0].events |= POLLOUT;
    poll(fds, 2, (int)((deadline_ns - now_ns) / CLOCK_MS_NS) + 1);
    if (fds[1].revents != 0)
        return error_set(err, ERROR_CANCELLED, 0, "stopped");
    if (libnbd.poll(c->nbd, 0) >= 0)
        return 1;
    return error_set(err, ERROR_TEMPORARY, 0, "%s: lost the NBD server: %s",
                     c->uri, nbd_reason());
}

struct nbd_answer {
    bool has_come;
    int errnum;
};

static int note_answer(void *opaque, int *errnum)
{
    struct nbd_answer *answer = opaque;

    answer->has_come = true;
    answer->errnum = *errnum;
    return 1;
}

/* Waits for the answer to a request, which cookie is the number of. */
static int await_answer(struct nbd_connection *c, int64_t cookie,
                        const struct nbd_answer *answer, struct error *err)
{
    uint64_t deadline_ns = clock_now_ns() + ANSWER_NS;

    if (cookie < 0)
        return error_set(err,
                         nbd_is_loss(c, libnbd.get_errno()) ? ERROR_TEMPORARY
                                                            : ERROR_SOURCE_IO,
                         0, "%s: %s", c->uri, nbd_reason());
    while (!answer->has_come) {
        if (nbd_step(c, deadline_ns, err) > 0)
            continue;
        nbd_disconnect(c); /* the request refers to our variables */
        return -1;
    }
    return 0;
}

/* ---- opening ---- */

static int nbd_prepare(struct nbd_connection *c, struct nbd_login *login,
                       struct error *err)
{
    if (nbd_library_load(err) < 0)
        return -1;
    c->nbd = libnbd.create();
    if (!c->nbd)
        return error_set(err, ERROR_SYSTEM, 0, "%s", nbd_reason());
    if (libnbd.set_uri_allow_local_file(c->nbd, true) < 0 ||
        libnbd.set_pread_initialize(c->nbd, false) < 0 ||
        libnbd.add_meta_context(c->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) < 0 ||
        (c->bitmap[0] && libnbd.add_meta_context(c->nbd, c->bitmap) < 0))
        return error_set(err, ERROR_SYSTEM, 0, "%s", nbd_reason());
    return nbd_login_prepare(login, c->nbd, c->uri, &c->login, err);
}

static int shake_hands(struct nbd_connection *c, struct error *err)
{
    uint64_t deadline_ns = clock_now_ns() + CONNECT_NS;

    if (libnbd.aio_connect_uri(c->nbd, c->uri) < 0)
        return fail_connect(c, err);
    while (libnbd.aio_is_connecting(c->nbd) > 0) {
        if (nbd_step(c, deadline_ns, err) > 0)
            continue;
        /* The reason of a failed handshake tells more than "lost". */
        return err->kind == ERROR_TEMPORARY && clock_now_ns() < deadline_ns
                   ? fail_connect(c, err)
                   : -1;
    }
    return libnbd.aio_is_ready(c->nbd) > 0 ? 0 : fail_connect(c, err);
}

static uint32_t size_or(int64_t bytes, uint32_t usual)
{
    return bytes > 0 && bytes <= UINT32_MAX ? (uint32_t)bytes : usual;
}

static int note_export(struct nbd_connection *c, struct error *err)
{
    int64_t size_bytes = libnbd.get_size(c->nbd);

    if (size_bytes < 0)
        return fail_connect(c, err);
    c->size_bytes = (uint64_t)size_bytes;
    c->min_bytes = size_or(libnbd.get_block_size(c->nbd, LIBNBD_SIZE_MINIMUM),
                           USUAL_MIN_BYTES);
    c->max_bytes = size_or(libnbd.get_block_size(c->nbd, LIBNBD_SIZE_MAXIMUM),
                           USUAL_MAX_BYTES);
    c->is_shared = libnbd.can_multi_conn(c->nbd) > 0;
    c->has_map = libnbd.can_meta_context(c->nbd,
                                         LIBNBD_CONTEXT_BASE_ALLOCATION) > 0;
    c->socket.fd = fcntl(libnbd.aio_get_fd(c->nbd), F_DUPFD_CLOEXEC, 3);
    if (c->socket.fd < 0)
        return error_set(err, ERROR_SYSTEM, errno, "connect to %s", c->uri);
    if (!c->bitmap[0] || libnbd.can_meta_context(c->nbd, c->bitmap) > 0)
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s: the server does not offer %s; name the bitmap when "
                     "the export is added, and see nbdinfo --list for those "
                     "it has",
                     c->uri, c->bitmap);
}

int nbd_connect(struct nbd_connection *c, struct error *err)
{
    struct nbd_login login = { .directory = "" };
    int r;

    c->socket = (struct file)FILE_CLOSED;
    r = nbd_prepare(c, &login, err);
    if (r == 0)
        r = shake_hands(c, err);
    nbd_login_forget(&login);
    if (r == 0)
        r = note_export(c, err);
    if (r < 0)
        nbd_disconnect(c);
    return r;
}

/* A lost connection may look good until something is sent. */
static bool is_alive(struct nbd_connection *c)
{
    struct nbd_answer answer = { 0 };
    nbd_completion_callback done = { note_answer, &answer, NULL };
    uint32_t len = c->min_bytes > PROBE_BYTES ? c->min_bytes : PROBE_BYTES;
    struct error ignored;
    uint8_t *buf;
    bool is_good;

    if (!c->nbd || c->size_bytes < len)
        return c->nbd && libnbd.poll(c->nbd, 0) >= 0 &&
               libnbd.aio_is_ready(c->nbd) > 0;
    buf = malloc(len);
    if (!buf)
        return false;
    is_good = await_answer(c, libnbd.aio_pread(c->nbd, buf, len, 0, done, 0),
                           &answer, &ignored) == 0 &&
              !nbd_is_loss(c, answer.errnum);
    if (!is_good)
        nbd_disconnect(c); /* nothing refers to buf then */
    free(buf);
    return is_good;
}

int nbd_reconnect(struct nbd_connection *c, struct error *err)
{
    uint64_t size_bytes = c->size_bytes;

    if (is_alive(c))
        return 0;
    nbd_disconnect(c);
    if (nbd_connect(c, err) < 0) {
        /* It was there: a server that starts again may lack its socket or its
         * export for a while. */
        if (err->kind == ERROR_SOURCE_IO)
            err->kind = ERROR_TEMPORARY;
        c->size_bytes = size_bytes;
        return -1;
    }
    if (c->size_bytes == size_bytes)
        return 1;
    return error_set(err, ERROR_CHANGED, 0,
                     "%s: the server was lost and is back with a disk of "
                     "%" PRIu64 " bytes, not of %" PRIu64,
                     c->uri, c->size_bytes, size_bytes);
}

void nbd_disconnect(struct nbd_connection *c)
{
    if (c->nbd)
        libnbd.close(c->nbd);
    c->nbd = NULL;
    file_close(&c->socket);
}

/* ---- extents ---- */

struct nbd_extents {
    struct nbd_question left; /* of the question */
    bool has_failed;
};

/* Pairs of a length and flags.  The last may reach beyond the question. */
static int note_extents(void *opaque, const char *context, uint64_t offset,
                        uint32_t *entries, size_t count, int *errnum)
{
    struct nbd_extents *asked = opaque;
    struct nbd_question *left = &asked->left;

    if (strcmp(context, left->context) != 0 || offset != left->offset)
        return 0;
    for (size_t i = 0; i + 1 < count && left->length > 0; i += 2) {
        uint64_t length = entries[i] < left->length ? entries[i] : left->length;

        if (length > 0 &&
            left->each(left->opaque, length, entries[i + 1]) < 0) {
            asked->has_failed = true;
            *errnum = ENOMEM;
            return -1;
        }
        left->offset += length;
        left->length -= length;
    }
    return 0;
}

int nbd_ask_extents(struct nbd_connection *c,
                    const struct nbd_question *question, struct error *err)
{
    struct nbd_extents asked = { .left = *question };
    struct nbd_answer answer = { 0 };
    nbd_extent_callback note = { note_extents, &asked, NULL };
    nbd_completion_callback done = { note_answer, &answer, NULL };

    if (!c->nbd)
        return error_set(err, ERROR_TEMPORARY, 0, "%s: lost the NBD server",
                         c->uri);
    if (await_answer(c,
                     libnbd.aio_block_status(c->nbd, question->length,
                                             question->offset, note, done, 0),
                     &answer, err) < 0)
        return -1;
    if (asked.has_failed)
        return -1; /* each() has set *err */
    if (answer.errnum == 0 && asked.left.offset > question->offset)
        return 0;
    return error_set_at(
        err, nbd_is_loss(c, answer.errnum) ? ERROR_TEMPORARY : ERROR_SOURCE_IO,
        answer.errnum, question->offset,
        "%s: ask the NBD server for %s at %" PRIu64 "%s", c->uri,
        question->context, question->offset,
        answer.errnum ? "" : ": the answer is empty");
}
